import process from 'node:process';
import { isatty } from 'node:tty';
import { isHoldfastError } from '@holdfast/kit/errors';
import type { Log } from '@holdfast/kit/telemetry';

export interface HangupOptions {
  /** The terminal that the server was started in is gone. */
  readonly onTerminalClosed: () => void;
  /** Whether a file descriptor is a terminal at this moment. For tests. */
  readonly isTerminal?: (fd: number) => boolean;
  /** What the signal is heard at. For tests. */
  readonly signals?: { on(signal: 'SIGHUP', listener: () => void): unknown };
}

/** What SIGHUP does, stage by stage. It starts with `starting`. */
export interface Hangups {
  logTo(log: Pick<Log, 'logger'>): void;
  /** From now on a signal reloads. One that came during the start does so now: the files had been read before it. */
  serving(reload: () => Promise<unknown>): void;
  /** From now on a signal does nothing. */
  stopping(): void;
}

const standardStreams = [0, 1, 2];

/**
 * Listens to SIGHUP, whose default is to end the process: from the first line of a start to the last of a stop it must not, so
 * the listener is never taken away again. The signal has a second meaning, which is the older one: a terminal that is closed
 * sends it to everything started in it, and a server that took that for a wish to reload would go on unseen and keep its port.
 * The two are told apart by the terminal itself, which is none any more.
 */
export function reloadOnHangup({ onTerminalClosed, isTerminal = isatty, signals = process }: HangupOptions): Hangups {
  const terminals = standardStreams.filter((fd) => isTerminal(fd));
  let log: Pick<Log, 'logger'> | undefined;
  let reload: (() => Promise<unknown>) | undefined;
  let stage: 'starting' | 'serving' | 'stopping' = 'starting';
  let asked = false;

  function run(): void {
    reload?.().catch((error: unknown) => {
      // Faults have their own line, and a server that stops has said so.
      if (isHoldfastError(error) && (error.code === 'configuration_rejected' || error.code === 'draining')) return;
      log?.logger.error({ err: error }, 'the reload of the configuration failed');
    });
  }

  signals.on('SIGHUP', () => {
    if (terminals.length > 0 && !terminals.some((fd) => isTerminal(fd))) {
      log?.logger.info({ signal: 'SIGHUP' }, 'the terminal was closed: stopping, calls that are running may end');
      return onTerminalClosed();
    }
    if (stage === 'serving') return run();
    asked ||= stage === 'starting';
    log?.logger.info({ signal: 'SIGHUP' }, stage === 'starting' ? 'the reload will follow the start' : 'no reload: the server is stopping');
  });
  return {
    logTo: (to) => void (log = to),
    serving(by) {
      reload = by;
      stage = 'serving';
      if (asked) run();
    },
    stopping: () => void (stage = 'stopping'),
  };
}

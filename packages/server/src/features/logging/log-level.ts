import { defineChannel } from '@holdfast/kit/events';
import type { Clock, Timer } from '@holdfast/kit/time';

/** From the finest to none, as pino names them. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LogLevelChanged {
  readonly from: LogLevel;
  readonly to: LogLevel;
  /** `operator`, the end of the time that one gave it, or a `reload` of the configuration. */
  readonly by: 'operator' | 'end' | 'reload';
  readonly keyId: string | undefined;
}

export const logLevelChanged = defineChannel<LogLevelChanged>('holdfast:logging:level-changed');

export interface LogLevelState {
  readonly level: LogLevel;
  /** What the configuration says. */
  readonly configured: LogLevel;
  /** When it goes back to that, in Unix milliseconds; undefined when it stays. */
  readonly untilMs: number | undefined;
}

export interface LogLevelControl {
  readonly state: LogLevelState;
  /** Until somebody sets it again, a reload changes the configuration's, or `forMs` has passed. */
  set(level: LogLevel, forMs: number | undefined, keyId: string): LogLevelState;
  /** What the configuration says now: in force at once, whatever an operator had set. */
  configure(level: LogLevel): void;
  close(): void;
}

/** What is logged of this instance, while it runs. `log.level` is set at each change. */
export function createLogLevelControl(log: { level: LogLevel }, clock: Clock): LogLevelControl {
  let configured = log.level;
  let untilMs: number | undefined;
  let timer: Timer | undefined;

  function change(to: LogLevel, by: LogLevelChanged['by'], keyId: string | undefined): void {
    const from = log.level;
    timer?.cancel();
    untilMs = undefined;
    if (from === to) return;
    // Told by whichever of the two says more.
    const isQuieter = order.indexOf(to) > order.indexOf(from);
    if (!isQuieter) log.level = to;
    logLevelChanged.publish({ from, to, by, keyId });
    log.level = to;
  }

  const control: LogLevelControl = {
    get state() {
      return { level: log.level, configured, untilMs };
    },
    set(level, forMs, keyId) {
      change(level, 'operator', keyId);
      if (forMs !== undefined) {
        untilMs = clock.now() + forMs;
        timer = clock.setTimeout(() => change(configured, 'end', undefined), forMs);
      }
      return control.state;
    },
    configure(level) {
      if (level === configured) return;
      configured = level;
      change(level, 'reload', undefined);
    },
    close: () => timer?.cancel(),
  };
  return control;
}

const order: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

import type { Clock } from '@holdfast/kit/time';
import { embeddedPostgresEnded } from './events.ts';
import type { Settled } from './options.ts';
import type { Postmaster } from './postmaster.ts';
import { boundServerLog, readLogTail } from './server-log.ts';
import { socketPort } from './socket-folder.ts';
import { stopPostmaster } from './stop-postmaster.ts';

/** Why PostgreSQL ended although nobody stopped it. */
export interface EmbeddedPostgresExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines of its log. */
  readonly log: readonly string[];
}

export interface EmbeddedPostgres {
  /** Folder of the unix socket, the `host` of a client. The superuser is `postgres`, without a password. */
  readonly socketDir: string;
  readonly port: number;
  readonly pid: number;
  /** Such as `18.4`. */
  readonly version: string;
  /** It ran already: the server that started it was killed. */
  readonly adopted: boolean;
  /** The file of PostgreSQL's own messages. */
  readonly logPath: string;
  /** Ends PostgreSQL and gives the data folder free. Repeating it gives the same promise. */
  stop(): Promise<void>;
  /** Called once when PostgreSQL ends without `stop`, at once if it has already. Returns the function that ends the subscription. */
  onExit(listener: (exit: EmbeddedPostgresExit) => void): () => void;
}

export interface Supervision {
  readonly postmaster: Postmaster;
  readonly socketDir: string;
  readonly version: string;
  readonly logPath: string;
  readonly options: Pick<Settled, 'clock' | 'stopTimeoutMs' | 'maxLogBytes'>;
  /** Gives the folder free; called once, after the end of the process. */
  readonly release: () => void;
}

const logCheckIntervalMs = 60_000;

export function superviseEmbeddedPostgres({ postmaster, socketDir, version, logPath, options, release }: Supervision): EmbeddedPostgres {
  const listeners = new Set<(exit: EmbeddedPostgresExit) => void>();
  const stopChecks = everyMinute(options.clock, () => boundServerLog(logPath, options.maxLogBytes));
  let stopped: Promise<void> | undefined;
  let unexpected: EmbeddedPostgresExit | undefined;

  void postmaster.exit.then(({ exitCode, signal }) => {
    stopChecks();
    const requested = stopped !== undefined;
    const exit = { exitCode, signal, log: requested ? [] : readLogTail(logPath) };
    embeddedPostgresEnded.publish({ pid: postmaster.pid, requested, ...exit });
    if (requested) return;
    unexpected = exit;
    for (const listener of listeners) listener(exit);
    listeners.clear();
  });

  return {
    socketDir,
    port: socketPort,
    pid: postmaster.pid,
    version,
    adopted: postmaster.adopted,
    logPath,
    stop() {
      stopped ??= stopPostmaster(postmaster, options.clock, options.stopTimeoutMs).finally(() => {
        stopChecks();
        release();
      });
      return stopped;
    },
    onExit(listener) {
      if (unexpected) {
        listener(unexpected);
        return () => {};
      }
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function everyMinute(clock: Clock, work: () => void): () => void {
  const timer = clock.setTimeout(() => {
    work();
    timer.refresh();
  }, logCheckIntervalMs);
  return () => timer.cancel();
}

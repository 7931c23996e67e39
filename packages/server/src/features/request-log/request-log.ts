import { runUpkeep, type HttpRequestFinished } from '@holdfast/kit/events';
import { isHoldfastError } from '@holdfast/kit/errors';
import { createUuidV7, sleep, type Clock, type Random, type Timer } from '@holdfast/kit/time';
import { requestsUnlogged } from './events.ts';
import type { LoggedRequest, RequestContent } from './logged-request.ts';
import type { RequestLogStore } from './request-log-store.ts';
import { requestRowBytes, type RequestRowOptions } from './request-row.ts';

export interface RequestLogOptions extends RequestRowOptions {
  readonly store: Pick<RequestLogStore, 'write' | 'removeBefore' | 'momentBehind'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly retentionMs: number;
  /** Rows that are kept; older ones are removed. */
  readonly maxRows: number;
  /** Requests that may wait to be written; those that come when it is full are dropped and counted. Default 10,000, some 5 MB. */
  readonly maxQueue?: number;
  /** Most rows of one statement. Default 500. */
  readonly maxBatch?: number;
  /** Called for each request that is dropped. */
  readonly onDropped?: (reason: 'queue_full' | 'refused') => void;
  /** How long a request waits at most before it is written while the database answers. Default 1,000. */
  readonly everyMs?: number;
}

export interface RequestLog {
  /** Takes the request, or drops it: never waits, never throws. On the path of every request. */
  add(event: HttpRequestFinished, content: RequestContent | undefined): void;
  /** Requests that are not in the log because it could not take them. */
  readonly dropped: number;
  readonly queued: number;
  /** Writes what waits. Never rejects. */
  flush(): Promise<void>;
  /** Removes what is too old or too much. Throws `database_unavailable`. */
  cleanUp(): Promise<void>;
  /** Writes what waits, for the last time. */
  stop(): Promise<void>;
}

const cleanUpEveryMs = 600_000;
const complainEveryMs = 60_000;
/** Rows that are removed in one statement, so that no lock is held for long. */
const removalPage = 5_000;

/** Keeps a row of every request in the database, off the path of requests. */
export function startRequestLog(options: RequestLogOptions): RequestLog {
  const { store, clock, random, maxQueue = 10_000, maxBatch = 500, everyMs = 1_000 } = options;
  // Ids are made when rows are, off the path of requests, and of the time at which the answer had been sent: rows are in the order of those.
  let idAtMs = 0;
  const createId = createUuidV7({ now: () => idAtMs }, random);
  let queue: LoggedRequest[] = [];
  /** Those that are being written: their number, since they take room as well. */
  let inHand = 0;
  let dropped = 0;
  let told = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  let lastError: unknown;
  let last = Promise.resolve();
  let timer: Timer | undefined;
  let scheduled = false;
  let stopped = false;
  let cleanedAt = clock.monotonic();

  function drop(reason: 'queue_full' | 'refused'): void {
    dropped++;
    options.onDropped?.(reason);
  }

  async function write(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.length <= maxBatch ? queue : queue.slice(0, maxBatch);
      queue = batch === queue ? [] : queue.slice(maxBatch);
      inHand = batch.length;
      const left = await writeBatch(batch);
      inHand = 0;
      if (left) {
        queue = [...batch, ...queue];
        break;
      }
    }
    if (dropped > told && clock.monotonic() - toldAt >= complainEveryMs) {
      requestsUnlogged.publish({ dropped: dropped - told, error: lastError });
      told = dropped;
      toldAt = clock.monotonic();
    }
  }

  /** Whether it is to be tried again. */
  async function writeBatch(batch: readonly LoggedRequest[]): Promise<boolean> {
    const rows: Buffer[] = [];
    for (const logged of batch) {
      idAtMs = logged.atMs;
      try {
        // The same for a batch that is written again: its first try may have arrived.
        rows.push(requestRowBytes((logged.id ??= createId()), logged, options));
      } catch (error) {
        lastError = error;
        drop('refused');
      }
      // Masking is work: requests come between two of them.
      if (logged.content) await sleep(clock, 0);
    }
    if (rows.length === 0) return false;
    try {
      await store.write(rows);
      return false;
    } catch (error) {
      lastError = error;
      if (isHoldfastError(error)) return true;
      // A row that the database does not take must not take its neighbours down.
      for (const row of rows) {
        try {
          await store.write([row]);
        } catch (alone) {
          if (isHoldfastError(alone)) return true;
          drop('refused');
        }
      }
      return false;
    }
  }

  async function cleanUp(): Promise<void> {
    cleanedAt = clock.monotonic();
    const excess = await store.momentBehind(options.maxRows);
    // The one behind them is the first that is too many.
    const beforeMs = Math.max(clock.now() - options.retentionMs, excess === undefined ? 0 : excess + 1);
    while ((await store.removeBefore(beforeMs, removalPage)) === removalPage);
  }

  const flush = (): Promise<void> => (last = last.then(() => runUpkeep('holdfast.request_log.write', write)));

  function schedule(): void {
    if (scheduled || stopped) return;
    scheduled = true;
    timer = clock.setTimeout(() => {
      scheduled = false;
      void flush().then(async () => {
        if (clock.monotonic() - cleanedAt >= cleanUpEveryMs)
          await runUpkeep('holdfast.request_log.clean_up', cleanUp).catch((error: unknown) => (lastError = error));
        if (queue.length > 0) schedule();
      });
    }, everyMs);
  }

  return {
    add(event, content) {
      if (queue.length + inHand >= maxQueue) {
        drop('queue_full');
        return;
      }
      queue.push({ atMs: clock.now(), event, content });
      if (!scheduled) schedule();
    },
    get dropped() {
      return dropped;
    },
    get queued() {
      return queue.length + inHand;
    },
    flush,
    cleanUp,
    async stop() {
      stopped = true;
      timer?.cancel();
      await flush();
      dropped += queue.length;
      queue = [];
    },
  };
}

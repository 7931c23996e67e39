import { runUpkeep } from '@holdfast/kit/events';
import type { Clock, Timer } from '@holdfast/kit/time';
import { minutesSavedAgain, minutesUnsaved } from './events.ts';
import type { MinuteStore, StoredMinute } from './minute-store.ts';

/** What this process has seen: `PerformanceTracker` of @holdfast/kit/telemetry. */
export interface MinuteSource {
  unsaved(): readonly (StoredMinute & { readonly revision: number })[];
  markSaved(minutes: readonly (StoredMinute & { readonly revision: number })[]): void;
  minutes(): readonly StoredMinute[];
  readonly lostMinutes: number;
}

export interface MinuteWriterOptions {
  readonly store: MinuteStore;
  readonly minutes: MinuteSource;
  readonly clock: Clock;
  readonly retentionMinutes: number;
  /** Between two writes: what a `kill -9` loses at most. Default 15,000. */
  readonly everyMs?: number;
}

export interface MinuteWriter {
  /** Writes what is there. Never rejects. */
  flush(): Promise<void>;
  /** Writes for the last time. */
  stop(): Promise<void>;
}

const minuteMs = 60_000;
/** Rows of one statement: an hour of a database that was away comes in a few. */
const batchSize = 20;

/** Stores the minutes of this process while they are still running, and removes those of everybody that are too old. */
export function startMinuteWriter({ store, minutes, clock, retentionMinutes, everyMs = 15_000 }: MinuteWriterOptions): MinuteWriter {
  let timer: Timer | undefined;
  let last = Promise.resolve();
  let stopped = false;
  let away = false;
  let cleanedAt = Number.NEGATIVE_INFINITY;

  async function write(): Promise<void> {
    try {
      const unsaved = minutes.unsaved();
      for (let at = 0; at < unsaved.length; at += batchSize) {
        const batch = unsaved.slice(at, at + batchSize);
        await store.write(batch);
        minutes.markSaved(batch);
      }
      if (clock.monotonic() - cleanedAt >= minuteMs) {
        cleanedAt = clock.monotonic();
        await store.removeBefore(clock.now() - retentionMinutes * minuteMs);
      }
      if (away) minutesSavedAgain.publish({ lostMinutes: minutes.lostMinutes });
      away = false;
    } catch (error) {
      if (!away) minutesUnsaved.publish({ error });
      away = true;
    }
  }

  // One after the other: one that is running may have begun before what the caller wants written.
  const flush = (): Promise<void> => (last = last.then(() => runUpkeep('holdfast.metrics.store', write)));
  const next = (): void => {
    if (stopped) return;
    timer = clock.setTimeout(() => void flush().then(next), everyMs);
  };
  next();

  return {
    flush,
    async stop() {
      stopped = true;
      timer?.cancel();
      await flush();
    },
  };
}

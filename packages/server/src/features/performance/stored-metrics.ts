import type { PerformanceMeasurements, StoredMetricsReport, TrendPoint } from '@holdfast/contracts';
import { isHoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import type { MinuteKey, MinuteStore, StoredMinute } from './minute-store.ts';
import type { MinuteSource } from './minute-writer.ts';

/** Adds records of minutes up. */
export interface MinuteSum {
  /** Throws when it cannot read the record, such as that of a later version. */
  add(record: object): void;
  toRecord(): object;
  /** `seconds` is the time that rates are taken over. */
  measurements(seconds: number): PerformanceMeasurements;
  trendPoint(): Omit<TrendPoint, 'at' | 'instances'>;
}

export interface StoredMetricsOptions {
  /** Undefined when minutes are not stored. */
  readonly store: MinuteStore | undefined;
  readonly minutes: MinuteSource;
  readonly createSum: () => MinuteSum;
  readonly clock: Clock;
}

const minuteMs = 60_000;
/** Points of a trend at most: longer windows have longer steps. */
const mostPoints = 120;
/** Rows that are read and merged in one turn of the event loop, some milliseconds of work. */
const pageSize = 20;

/**
 * What all instances saw within the last minutes: the stored minutes, and in place of its own stored ones those that this process still
 * has, which know more. Of other instances the last seconds are missing, until they have stored them.
 */
export function createStoredMetrics({ store, minutes, createSum, clock }: StoredMetricsOptions) {
  return async (windowMinutes: number): Promise<StoredMetricsReport> => {
    const now = clock.now();
    const fromMs = Math.floor(now / minuteMs) * minuteMs - (windowMinutes - 1) * minuteMs;
    const stepMinutes = Math.max(1, Math.ceil(windowMinutes / mostPoints));
    const points = new Map<number, { readonly sum: MinuteSum; readonly sources: Set<string> }>();
    const sources = new Set<string>();
    let firstMs = now;

    const add = ({ minute, source, record }: StoredMinute): void => {
      const at = fromMs + Math.floor((minute - fromMs) / (stepMinutes * minuteMs)) * stepMinutes * minuteMs;
      let point = points.get(at);
      if (!point) points.set(at, (point = { sum: createSum(), sources: new Set() }));
      try {
        point.sum.add(record);
      } catch {
        // Of a later version that runs beside this one.
        return;
      }
      point.sources.add(source);
      sources.add(source);
      firstMs = Math.min(firstMs, minute);
    };

    const own = minutes.minutes().filter(({ minute }) => minute >= fromMs);
    const ownKeys = new Set(own.map(keyOf));
    own.forEach(add);
    let complete = true;
    try {
      let after: MinuteKey | undefined;
      while (store) {
        const page = await store.read(fromMs, pageSize, after);
        for (const minute of page) if (!ownKeys.has(keyOf(minute))) add(minute);
        after = page.at(-1);
        if (page.length < pageSize) break;
      }
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      complete = false;
    }

    const total = createSum();
    for (const { sum } of points.values()) total.add(sum.toRecord());
    return {
      from: new Date(fromMs).toISOString(),
      to: new Date(now).toISOString(),
      window_minutes: windowMinutes,
      step_minutes: stepMinutes,
      instances: sources.size,
      complete,
      ...total.measurements(Math.max(1, (now - firstMs) / 1_000)),
      trend: [...points]
        .toSorted(([a], [b]) => a - b)
        .map(([at, { sum, sources: counted }]) => ({ at: new Date(at).toISOString(), instances: counted.size, ...sum.trendPoint() })),
    };
  };
}

function keyOf({ minute, source }: MinuteKey): string {
  return `${minute} ${source}`;
}

import { seriesKinds, sumNames, type SeriesKind } from './kinds.ts';
import type { SketchRecord } from './quantile-sketch.ts';
import { otherName, SeriesMap } from './series.ts';

/** A number that was looked at from time to time, such as the memory in use. */
export interface Gauge {
  samples: number;
  sum: number;
  min: number;
  max: number;
}

/** Group, name, failures, slow ones, times, then the sums of the kind. */
export type SeriesRecord = readonly [string, string, number, number, SketchRecord, ...number[]];

/** A window as JSON. A later version that says something else has another `v`; what it only adds is ignored by those that do not know it. */
export interface WindowRecord {
  readonly v: 1;
  readonly series: Readonly<Partial<Record<SeriesKind, readonly SeriesRecord[]>>>;
  /** Requests by the first digit of their status: `2xx`. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests that ended in an error, by the category of its code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Samples, their sum, the least and the greatest. */
  readonly gauges: Readonly<Record<string, readonly [number, number, number, number]>>;
}

/** Most names of statuses, errors and gauges each: they come from code, and a mistake there must not take the memory. */
const maxNames = 64;

/**
 * What happened within some time. Windows merge: the merge of two says what one would have that had seen everything, but for `other`, since
 * each has a bound of its own on its series.
 */
export class MetricsWindow {
  readonly series: Readonly<Record<SeriesKind, SeriesMap>>;
  readonly statuses = new Map<string, number>();
  readonly errors = new Map<string, number>();
  readonly gauges = new Map<string, Gauge>();

  /** `maxSeries` of each kind. */
  constructor(maxSeries: number) {
    this.series = Object.fromEntries(seriesKinds.map((kind) => [kind, new SeriesMap(sumNames[kind].length, maxSeries)])) as Record<
      SeriesKind,
      SeriesMap
    >;
  }

  sample(name: string, value: number): void {
    const gauge = this.gauges.get(name);
    if (gauge) {
      gauge.samples++;
      gauge.sum += value;
      if (value < gauge.min) gauge.min = value;
      if (value > gauge.max) gauge.max = value;
    } else if (this.gauges.size < maxNames) this.gauges.set(name, { samples: 1, sum: value, min: value, max: value });
  }

  merge(record: WindowRecord): void {
    for (const kind of seriesKinds) {
      for (const [group, name, failures, slow, sketch, ...sums] of record.series[kind] ?? []) {
        const series = this.series[kind].at(group, name);
        series.sketch.mergeRecord(sketch);
        series.failures += failures;
        series.slow += slow;
        for (let at = 0; at < series.sums.length; at++) series.sums[at]! += sums[at] ?? 0;
      }
    }
    for (const [name, count] of Object.entries(record.statuses)) countIn(this.statuses, name, count);
    for (const [name, count] of Object.entries(record.errors)) countIn(this.errors, name, count);
    for (const [name, [samples, sum, min, max]] of Object.entries(record.gauges)) {
      const gauge = this.gauges.get(name);
      if (gauge) {
        gauge.samples += samples;
        gauge.sum += sum;
        gauge.min = Math.min(gauge.min, min);
        gauge.max = Math.max(gauge.max, max);
      } else if (this.gauges.size < maxNames) this.gauges.set(name, { samples, sum, min, max });
    }
  }

  toRecord(): WindowRecord {
    const series: Partial<Record<SeriesKind, SeriesRecord[]>> = {};
    for (const kind of seriesKinds) {
      const all = this.series[kind].all();
      if (all.length === 0) continue;
      series[kind] = all.map((each) => [each.group, each.name, each.failures, each.slow, each.sketch.toRecord(), ...each.sums]);
    }
    return {
      v: 1,
      series,
      statuses: Object.fromEntries(this.statuses),
      errors: Object.fromEntries(this.errors),
      gauges: Object.fromEntries(
        Array.from(this.gauges, ([name, { samples, sum, min, max }]) => [name, [samples, short(sum), short(min), short(max)]]),
      ),
    };
  }
}

/** Counts one more of a name, or `times` more. */
export function countIn(counts: Map<string, number>, name: string, times = 1): void {
  const before = counts.get(name);
  if (before === undefined && counts.size >= maxNames && name !== otherName) countIn(counts, otherName, times);
  else counts.set(name, (before ?? 0) + times);
}

function short(value: number): number {
  return Number(value.toPrecision(7));
}

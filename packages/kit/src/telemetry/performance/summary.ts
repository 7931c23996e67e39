import { sumNames, type SeriesKind, type SumName } from './kinds.ts';
import type { MetricsWindow } from './metrics-window.ts';
import { QuantileSketch } from './quantile-sketch.ts';
import type { Series } from './series.ts';

/** Times in milliseconds. The quantiles are within `defaultRelativeError`; the others are exact. */
export interface DurationSummary {
  readonly count: number;
  readonly failures: number;
  /** How many took longer than the threshold of their kind. */
  readonly slow: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface SeriesSummary<Kind extends SeriesKind> extends DurationSummary {
  readonly group: string;
  readonly name: string;
  readonly sums: Readonly<Record<SumName<Kind>, number>>;
}

export interface KindSummary<Kind extends SeriesKind> {
  readonly total: DurationSummary & { readonly sums: Readonly<Record<SumName<Kind>, number>> };
  /** Those that took most time altogether first. */
  readonly series: readonly SeriesSummary<Kind>[];
}

export interface GaugeSummary {
  readonly name: string;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** What a window says of one kind, with at most `mostSeries` of its series. */
export function summarizeKind<Kind extends SeriesKind>(
  window: MetricsWindow,
  kind: Kind,
  mostSeries = Number.POSITIVE_INFINITY,
): KindSummary<Kind> {
  const all = window.series[kind].all();
  const total = new QuantileSketch();
  const sums = sumNames[kind].map(() => 0);
  let failures = 0;
  let slow = 0;
  for (const series of all) {
    total.merge(series.sketch);
    failures += series.failures;
    slow += series.slow;
    for (let at = 0; at < sums.length; at++) sums[at]! += series.sums[at]!;
  }
  const first = all.toSorted((a, b) => b.sketch.sum - a.sketch.sum || compareNames(a, b)).slice(0, mostSeries);
  return {
    total: { ...summarizeDurations(total, failures, slow), sums: named(kind, sums) },
    series: first.map((series) => ({
      group: series.group,
      name: series.name,
      ...summarizeDurations(series.sketch, series.failures, series.slow),
      sums: named(kind, series.sums),
    })),
  };
}

export function summarizeGauges(window: MetricsWindow): readonly GaugeSummary[] {
  return Array.from(window.gauges, ([name, { samples, sum, min, max }]) => ({ name, mean: sum / samples, min, max })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

function summarizeDurations(sketch: QuantileSketch, failures: number, slow: number): DurationSummary {
  return {
    count: sketch.count,
    failures,
    slow,
    meanMs: sketch.mean,
    minMs: sketch.min,
    maxMs: sketch.max,
    p50Ms: sketch.quantile(0.5),
    p95Ms: sketch.quantile(0.95),
    p99Ms: sketch.quantile(0.99),
  };
}

function named<Kind extends SeriesKind>(kind: Kind, sums: readonly number[]): Readonly<Record<SumName<Kind>, number>> {
  return Object.fromEntries(sumNames[kind].map((name, at) => [name, sums[at]!])) as Record<SumName<Kind>, number>;
}

function compareNames(a: Series, b: Series): number {
  return a.group === b.group ? (a.name < b.name ? -1 : 1) : a.group < b.group ? -1 : 1;
}

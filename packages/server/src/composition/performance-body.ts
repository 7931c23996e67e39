import type { PerformanceMeasurements, TrendPoint, UseBody } from '@holdfast/contracts';
import {
  defaultRelativeError,
  MetricsWindow,
  summarizeGauges,
  summarizeKind,
  type DurationSummary,
  type UsageTable,
  type WindowRecord,
} from '@holdfast/kit/telemetry';
import type { MinuteSum } from '../features/performance/index.ts';

/** Series of each kind that are kept apart in the sum of many minutes. */
const maxSeries = 500;

/** Adds minutes up, and says it as `/api` does. */
export function createMinuteSum(mostSeries = 50): MinuteSum {
  const window = new MetricsWindow(maxSeries);
  return {
    add(record) {
      if ((record as WindowRecord).v !== 1) throw new TypeError('a record of another version');
      window.merge(record as WindowRecord);
    },
    toRecord: () => window.toRecord(),
    measurements: (seconds) => toMeasurements(window, seconds, mostSeries),
    trendPoint: () => toTrendPoint(window),
  };
}

export function toMeasurements(window: MetricsWindow, seconds: number, mostSeries: number): PerformanceMeasurements {
  const requests = summarizeKind(window, 'request', mostSeries);
  const calls = summarizeKind(window, 'model_call', mostSeries);
  const database = summarizeKind(window, 'database', mostSeries);
  const cache = summarizeKind(window, 'cache', mostSeries);
  const { hits, misses } = cache.total.sums;
  return {
    relative_error: defaultRelativeError,
    requests: {
      ...toDurations(requests.total),
      ...toRates(requests.total, seconds),
      request_bytes: requests.total.sums.requestBytes,
      response_bytes: requests.total.sums.responseBytes,
      statuses: Object.fromEntries(window.statuses),
      routes: requests.series.map(({ group, name, sums, ...times }) => ({
        method: group,
        route: name,
        ...toDurations(times),
        request_bytes: sums.requestBytes,
        response_bytes: sums.responseBytes,
      })),
    },
    model_calls: {
      ...toDurations(calls.total),
      ...toRates(calls.total, seconds),
      ...toModelSums(calls.total.sums),
      first_token: toDurations(summarizeKind(window, 'first_token', 0).total),
      overhead: toDurations(summarizeKind(window, 'overhead', 0).total),
      models: calls.series.map(({ group, name, sums, ...times }) => ({
        provider: group,
        model: name,
        ...toDurations(times),
        ...toModelSums(sums),
      })),
    },
    database: {
      ...toDurations(database.total),
      ...toRates(database.total, seconds),
      queries: database.series.map(({ group, name, ...times }) => ({ operation: group, table: name, ...toDurations(times) })),
    },
    cache: {
      ...toDurations(cache.total),
      hits,
      misses,
      hit_ratio: hits + misses === 0 ? null : hits / (hits + misses),
      caches: cache.series.map(({ group, name, sums, ...times }) => ({ cache: group, operation: name, ...toDurations(times), ...sums })),
    },
    operations: summarizeKind(window, 'operation', mostSeries).series.map(({ name, ...times }) => ({ name, ...toDurations(times) })),
    errors: Array.from(window.errors, ([category, count]) => ({ category, count })).toSorted((a, b) => b.count - a.count),
    resources: summarizeGauges(window).map(({ name, mean, min, max }) => ({ name, mean: round(mean), min: round(min), max: round(max) })),
  };
}

/** Those who asked most first, at most `most`. */
export function toUse(table: UsageTable, most: number): UseBody[] {
  return [...table.entries()]
    .toSorted(([a, left], [b, right]) => right.requests - left.requests || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([id, use]) => ({
      id,
      requests: use.requests,
      failed: use.failures,
      duration_ms: round(use.durationMs),
      model_calls: use.modelCalls,
      prompt_tokens: use.promptTokens,
      completion_tokens: use.completionTokens,
      cost_nano_usd: use.costNanoUsd,
    }));
}

function toTrendPoint(window: MetricsWindow): Omit<TrendPoint, 'at' | 'instances'> {
  const requests = summarizeKind(window, 'request', 0).total;
  const calls = summarizeKind(window, 'model_call', 0).total;
  return {
    requests: requests.count,
    failed: requests.failures,
    p50_ms: round(requests.p50Ms),
    p95_ms: round(requests.p95Ms),
    p99_ms: round(requests.p99Ms),
    model_calls: calls.count,
    model_calls_failed: calls.failures,
    model_calls_p95_ms: round(calls.p95Ms),
    overhead_p95_ms: round(summarizeKind(window, 'overhead', 0).total.p95Ms),
    resources: Object.fromEntries(summarizeGauges(window).map(({ name, mean }) => [name, round(mean)])),
  };
}

function toDurations(times: DurationSummary) {
  return {
    count: times.count,
    failed: times.failures,
    slow: times.slow,
    mean_ms: round(times.meanMs),
    min_ms: round(times.minMs),
    max_ms: round(times.maxMs),
    p50_ms: round(times.p50Ms),
    p95_ms: round(times.p95Ms),
    p99_ms: round(times.p99Ms),
  };
}

function toRates({ count, failures }: DurationSummary, seconds: number) {
  return { per_second: round(count / seconds), error_rate: count === 0 ? 0 : failures / count };
}

function toModelSums(
  sums: Readonly<Record<'promptTokens' | 'completionTokens' | 'cachedTokens' | 'costNanoUsd' | 'unpriced' | 'attempts', number>>,
) {
  return {
    prompt_tokens: sums.promptTokens,
    completion_tokens: sums.completionTokens,
    cached_tokens: sums.cachedTokens,
    cost_nano_usd: sums.costNanoUsd,
    unpriced: sums.unpriced,
    attempts: sums.attempts,
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

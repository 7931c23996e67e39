import { z } from 'zod';
import { timestamp } from './common/index.ts';

const count = z.int().nonnegative();
const ms = z.number().nonnegative();

const durationFields = {
  count,
  failed: count.meta({ description: 'Of requests: answered with 5xx. Of model calls: no provider served it.' }),
  slow: count.meta({ description: 'Took longer than the threshold of their kind.' }),
  mean_ms: ms,
  min_ms: ms,
  max_ms: ms,
  p50_ms: ms,
  p95_ms: ms,
  p99_ms: ms,
};

const durations = z.object(durationFields).meta({
  id: 'Durations',
  description: 'How long things took. Quantiles are within `relative_error` of the true ones.',
});

const rates = {
  per_second: z.number().nonnegative().meta({ description: 'Over the part of the window in which there was somebody to count.' }),
  error_rate: z.number().min(0).max(1).meta({ description: '`failed` of `count`; 0 when there were none.' }),
};

const routeDurations = z
  .object({ method: z.string(), route: z.string(), ...durationFields, request_bytes: count, response_bytes: count })
  .meta({ id: 'RouteDurations', description: 'Of one endpoint: `other` for those beyond the bound.' });

const modelSums = {
  prompt_tokens: count,
  completion_tokens: count,
  cached_tokens: count,
  cost_nano_usd: count.meta({ description: 'Of the calls whose price is known.' }),
  unpriced: count.meta({ description: 'Calls whose price is not known.' }),
  attempts: count,
};

const modelDurations = z
  .object({ provider: z.string(), model: z.string(), ...durationFields, ...modelSums })
  .meta({ id: 'ModelDurations', description: 'Of one model of the configuration at one provider; `other` for all other models.' });

const resource = z
  .object({
    name: z.string().meta({ examples: ['memory_rss_bytes'] }),
    mean: z.number(),
    min: z.number(),
    max: z.number(),
  })
  .meta({
    id: 'ResourceUse',
    description: 'The name says the unit. Of several instances: the mean of all samples, the least and the greatest.',
  });

const measurements = {
  relative_error: z.number().meta({ description: 'Of the quantiles.', examples: [0.01] }),
  requests: z.object({
    ...durationFields,
    ...rates,
    request_bytes: count,
    response_bytes: count,
    statuses: z.record(z.string(), count).meta({ examples: [{ '2xx': 1204, '4xx': 9 }] }),
    routes: z.array(routeDurations).meta({ description: 'Those that took most time altogether first.' }),
  }),
  model_calls: z.object({
    ...durationFields,
    ...rates,
    ...modelSums,
    first_token: durations.meta({ description: 'Streams only: until their first event.' }),
    overhead: durations.meta({ description: 'The part that was spent in Holdfast.' }),
    models: z.array(modelDurations),
  }),
  database: z.object({
    ...durationFields,
    ...rates,
    queries: z.array(z.object({ operation: z.string(), table: z.string(), ...durationFields }).meta({ id: 'QueryDurations' })),
  }),
  cache: z.object({
    ...durationFields,
    hits: count,
    misses: count,
    hit_ratio: z.number().min(0).max(1).nullable(),
    caches: z.array(
      z.object({ cache: z.string(), operation: z.string(), ...durationFields, hits: count, misses: count }).meta({ id: 'CacheDurations' }),
    ),
  }),
  operations: z
    .array(z.object({ name: z.string(), ...durationFields }).meta({ id: 'OperationDurations' }))
    .meta({ description: 'What `monitorPerformance` measured.' }),
  errors: z
    .array(z.object({ category: z.string(), count }).meta({ id: 'ErrorCount' }))
    .meta({ description: 'Requests that ended in an error, by its category.' }),
  resources: z.array(resource),
};

/** For its type: what the two reports share. */
const performanceMeasurements = z.object(measurements);

const trendPoint = z
  .object({
    at: timestamp,
    instances: count,
    requests: count,
    failed: count,
    p50_ms: ms,
    p95_ms: ms,
    p99_ms: ms,
    model_calls: count,
    model_calls_failed: count,
    model_calls_p95_ms: ms,
    overhead_p95_ms: ms,
    resources: z.record(z.string(), z.number()).meta({ description: 'The mean of each.' }),
  })
  .meta({ id: 'TrendPoint' });

/** `GET /api/health/metrics` */
export const storedMetricsReport = z
  .object({
    from: timestamp,
    to: timestamp,
    window_minutes: count,
    step_minutes: count.meta({ description: 'How many minutes a point of `trend` stands for.' }),
    instances: count.meta({ description: 'Runs of servers that were counted: one that was restarted is two.' }),
    complete: z.boolean().meta({
      description: 'Whether the database could be read. If not: what the instance that answers has seen itself, in the last hour at most.',
    }),
    ...measurements,
    trend: z.array(trendPoint).meta({ description: 'Oldest first; a time in which there was nothing has no point.' }),
  })
  .meta({ id: 'StoredMetricsReport', description: 'What all instances saw within the window.' });

export const storedMetricsQuery = z.strictObject({
  window_minutes: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_080)
    .default(60)
    .meta({ description: 'How far to look back. Beyond the retention there is nothing.', examples: [60] }),
});

const use = z
  .object({
    id: z.string().meta({ description: '`other` for all beyond the bound.' }),
    requests: count,
    failed: count,
    duration_ms: ms,
    model_calls: count,
    prompt_tokens: count,
    completion_tokens: count,
    cost_nano_usd: count,
  })
  .meta({ id: 'Use', description: 'What somebody used within the window.' });

/** `GET /api/admin/metrics` */
export const performanceReport = z
  .object({
    from: timestamp,
    to: timestamp,
    window_minutes: count,
    instance: z.string().meta({ examples: ['gateway-7c9f:1'] }),
    thresholds_ms: z
      .record(z.string(), z.number().nullable())
      .meta({ description: 'From which time on something counts as slow, by kind; null when nothing does.' }),
    ...measurements,
    usage: z.object({
      organizations: z.array(use),
      users: z.array(use),
      keys: z.array(use),
    }),
  })
  .meta({ id: 'PerformanceReport', description: 'What the instance that answers has seen, from its memory.' });

export const performanceReportQuery = z.strictObject({
  window_minutes: z.coerce
    .number()
    .int()
    .min(1)
    .max(60)
    .default(60)
    .meta({ description: 'How far to look back.', examples: [15] }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(50)
    .meta({ description: 'Most entries of each list: those that took most time, or asked most.', examples: [20] }),
});

export type PerformanceMeasurements = z.infer<typeof performanceMeasurements>;
export type StoredMetricsReport = z.infer<typeof storedMetricsReport>;
export type StoredMetricsQuery = z.infer<typeof storedMetricsQuery>;
export type PerformanceReport = z.infer<typeof performanceReport>;
export type PerformanceReportQuery = z.infer<typeof performanceReportQuery>;
export type TrendPoint = z.infer<typeof trendPoint>;
export type UseBody = z.infer<typeof use>;

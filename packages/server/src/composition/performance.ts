import { createPerformanceTracker, type PerformanceTracker } from '@holdfast/kit/telemetry';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import type { Configuration } from '../config/index.ts';
import { createMinuteStore, createStoredMetrics, performanceRoutes, startMinuteWriter } from '../features/performance/index.ts';
import { databaseQueryCompleted, type Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { instance } from './configuration.ts';
import { createMinuteSum, toMeasurements, toUse } from './performance-body.ts';
import { startResourceSamples } from './resource-samples.ts';

export interface PerformanceOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly database: Database;
  readonly http: { readonly inFlight: number; readonly openConnections: number };
  /** Whether a model's name may stand by itself in what is reported. */
  readonly isKnownModel: (name: string) => boolean;
}

export interface Performance {
  readonly tracker: PerformanceTracker;
  readonly routes: FastifyPluginAsync;
}

/** Measures what the server does, stores it by the minute, and shows both. Undefined when that is switched off. */
export function openPerformance(options: PerformanceOptions): Performance | undefined {
  const { configuration, clock, random, closers, database, http } = options;
  const { enabled, stored, slowRequestMs, slowModelCallMs, slowQueryMs } = configuration.performance;
  if (!enabled) return undefined;
  const thresholds = { request: slowRequestMs, model_call: slowModelCallMs, database: slowQueryMs };
  const tracker = createPerformanceTracker({
    clock,
    createId: createUuidV7(clock, random),
    isKnownModel: options.isKnownModel,
    slowMs: Object.fromEntries(Object.entries(thresholds).map(([kind, ms]) => [kind, ms === 0 ? Number.POSITIVE_INFINITY : ms])),
  });
  const store = stored ? createMinuteStore(database, `${instance.host}:${instance.pid}`) : undefined;
  if (store) {
    const writer = startMinuteWriter({ store, minutes: tracker, clock, retentionMinutes: configuration.performance.retentionMinutes });
    closers.add('stored metrics', () => writer.stop());
  }
  // Closed before the writer, so that what they see last is stored.
  closers.add('performance tracker', tracker.listen());
  closers.add(
    'performance of queries',
    databaseQueryCompleted.subscribe(({ operation, table, durationMs, outcome }) =>
      tracker.trackDatabaseQuery({ operation, table: table ?? 'none', durationMs, failed: outcome === 'failed' }),
    ),
  );
  closers.add('resource samples', startResourceSamples({ clock, http, database, sample: (name, value) => tracker.sample(name, value) }));

  const routes = performanceRoutes({
    stored: createStoredMetrics({ store, minutes: tracker, createSum: createMinuteSum, clock }),
    current(windowMinutes, limit) {
      const now = clock.now();
      const fromMs = Math.max(tracker.startedAt, now - windowMinutes * 60_000);
      const usage = tracker.usage(windowMinutes);
      return {
        from: new Date(fromMs).toISOString(),
        to: new Date(now).toISOString(),
        window_minutes: windowMinutes,
        instance: `${instance.host}:${instance.pid}`,
        thresholds_ms: Object.fromEntries(Object.entries(thresholds).map(([kind, ms]) => [kind, ms === 0 ? null : ms])),
        ...toMeasurements(tracker.window(windowMinutes), Math.max(1, (now - fromMs) / 1_000), limit),
        usage: { organizations: toUse(usage.organizations, limit), users: toUse(usage.users, limit), keys: toUse(usage.keys, limit) },
      };
    },
  });
  return { tracker, routes };
}

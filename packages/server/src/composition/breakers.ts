import type { HealthRegistry, ObservedDependency } from '@holdfast/kit/health';
import type { BreakerStore } from '@holdfast/kit/resilience';
import { createRedisBreakerStore } from '@holdfast/kit/resilience/redis';
import type { Metrics } from '@holdfast/kit/telemetry';
import type { Clock, Random } from '@holdfast/kit/time';
import type { BreakerService, Circuit } from '../features/breakers/index.ts';
import type { RedisConnection } from '../platform/redis/index.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface BreakerStoreOptions {
  readonly redis: RedisConnection | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
}

/** A channel that falls silent is noticed after 4 s: asked for all the same, no change is heard later than this. */
const auditMs = 1_000;

/** Where instances share the states of their breakers; undefined without Redis, and each instance then knows its own. */
export function openBreakerStore({ redis, clock, random, closers }: BreakerStoreOptions): BreakerStore | undefined {
  if (redis === undefined) return undefined;
  const { client, subscriptions } = redis;
  const store = createRedisBreakerStore({ client, subscriptions, clock, random, auditMs });
  closers.add('breaker store', () => store.close());
  return store;
}

/**
 * Database and Redis have no breaker of their own (decision 0015): what is known of them is told in the same form. It follows real use,
 * and what asks them again is the check.
 */
export function dependencyCircuits(health: HealthRegistry): readonly Circuit[] {
  return health.observe().flatMap((observed) => {
    const { name } = observed;
    return name === 'database' || name === 'redis' ? [{ name, kind: name, status: statusOf(observed) }] : [];
  });
}

const stateNumbers = Object.freeze({ closed: 0, half_open: 1, open: 2 });

/** The state of each breaker, but for those of targets whose names clients choose: asked for when somebody scrapes. */
export function measureBreakers(metrics: Metrics, breakers: BreakerService, isConfigured: (target: string) => boolean): void {
  metrics.addGauges(serverMetrics.breakerState, () =>
    breakers
      .list()
      .filter(({ kind, name }) => kind !== 'model' || isConfigured(name))
      .map(({ name, status }) => [name, stateNumbers[status.state]] as const),
  );
}

function statusOf({ failing, checking, changedAt, nextCheckInMs, failures, totals, lastFailure }: ObservedDependency): Circuit['status'] {
  const { succeeded, failed, lost } = totals;
  return {
    state: failing ? (checking ? 'half_open' : 'open') : 'closed',
    byHand: false,
    changedAt,
    probeInMs: failing ? nextCheckInMs : undefined,
    failures,
    windowCalls: undefined,
    totals: { succeeded, failed, refused: 0, opened: lost },
    lastFailure,
    settings: undefined,
  };
}

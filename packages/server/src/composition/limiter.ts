import type { HealthRegistry } from '@holdfast/kit/health';
import { createMemoryDriver, createRateLimiter, withLocalShare, type RateLimiter } from '@holdfast/kit/ratelimit';
import { createRedisDriver } from '@holdfast/kit/ratelimit/redis';
import type { Metrics } from '@holdfast/kit/telemetry';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { RedisConnection } from '../platform/redis/index.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface LimiterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly health: HealthRegistry;
  readonly metrics: Metrics | undefined;
  readonly redis: RedisConnection | undefined;
  /** How many instances live, when Redis cannot say: an instance that starts while it is away takes its share of them. */
  readonly countInstances: () => Promise<number>;
}

/**
 * The one limiter of this server: for requests at the door and for calls of models. In memory, or shared by all instances through Redis; while
 * that is away each goes on with its share.
 */
export async function openLimiter(options: LimiterOptions): Promise<RateLimiter> {
  const { clock, closers, redis, metrics } = options;
  if (redis) return openShared(options, redis);
  const driver = createMemoryDriver({ clock });
  closers.add('limiter', () => driver.close());
  metrics?.addGauge(serverMetrics.rateLimitDegraded, () => 0);
  return createRateLimiter({ driver });
}

async function openShared(
  { clock, random, closers, health, metrics, countInstances }: LimiterOptions,
  redis: RedisConnection,
): Promise<RateLimiter> {
  const driver = withLocalShare({
    shared: createRedisDriver({ client: redis.client, random }),
    clock,
    instanceId: createUuidV7(clock, random)(),
    assumedInstances: Math.max(1, await countInstances()),
  });
  closers.add('limiter', () => driver.close());
  // Waits for Redis's first answer, and for no more than its time limit.
  await driver.start();
  health.watch('rate_limits', () =>
    driver.state.mode === 'shared'
      ? { status: 'healthy', message: 'all instances count together' }
      : { status: 'degraded', message: 'Redis is away: this instance limits by its share' },
  );
  metrics?.addGauge(serverMetrics.rateLimitDegraded, () => (driver.state.mode === 'local' ? 1 : 0));
  metrics?.addGauge(serverMetrics.rateLimitInstances, () => driver.state.instances);
  return createRateLimiter({ driver });
}

import type { HealthRegistry } from '@holdfast/kit/health';
import { storeLost } from '@holdfast/kit/ratelimit';
import { breakerStoreFailed } from '@holdfast/kit/resilience';
import type { Clock, Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { openRedis as openConnection, redisStateChanged, type RedisConnection } from '../platform/redis/index.ts';
import type { Closers } from './closers.ts';

export interface RedisOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly health: HealthRegistry;
}

/**
 * Redis, when there is one in the configuration. It makes several instances act as one and is no condition for any of them: a start
 * waits for the first attempt at a connection and goes on whatever came of it.
 */
export async function openRedis({ configuration, clock, random, closers, health }: RedisOptions): Promise<RedisConnection | undefined> {
  const { url } = configuration.redis;
  if (url === undefined) return undefined;
  const redis = openConnection({ url: url.reveal(), clock, random });
  closers.add('redis', () => redis.close());
  closers.add(
    'redis listener',
    redisStateChanged.subscribe(({ connected }) => {
      if (!connected) health.markFailed('redis');
    }),
  );
  // What real use sees counts at once, and the check that follows sets it right again.
  for (const channel of [breakerStoreFailed, storeLost])
    closers.add(
      'redis listener',
      channel.subscribe(() => health.markFailed('redis')),
    );
  await redis.settled;
  health.register('redis', { critical: false, componentType: 'datastore', check: () => redis.ping() });
  return redis;
}

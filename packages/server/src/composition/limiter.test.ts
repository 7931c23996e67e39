import { HoldfastError } from '@holdfast/kit/errors';
import { slidingWindow, type RateLimiter } from '@holdfast/kit/ratelimit';
import { createMetrics } from '@holdfast/kit/telemetry';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createHealthRegistry } from '@holdfast/kit/health';
import type { RedisConnection } from '../platform/redis/index.ts';
import { Closers } from './closers.ts';
import { openLimiter } from './limiter.ts';

const perHour = slidingWindow({ name: 'key-hour', limit: 100, windowMs: 3_600_000 });

async function open(redis: RedisConnection | undefined, countInstances: () => Promise<number>) {
  const clock = createFakeClock();
  const closers = new Closers();
  const health = createHealthRegistry({ clock });
  const metrics = createMetrics({ processMetrics: false });
  const limiter = await openLimiter({ clock, random: createSeededRandom(1), closers, health, metrics, redis, countInstances });
  onTestFinished(async () => {
    const failures: unknown[] = [];
    await closers.closeAll((name, error) => failures.push([name, error]));
    health.close();
    expect([failures, clock.pendingTimers]).toEqual([[], 0]);
  });
  const gauge = async (name: string) => new RegExp(`^holdfast_rate_limit_${name} (\\d+)$`, 'm').exec(await metrics.scrape())?.[1];
  return { limiter, health, gauge };
}

async function drain(limiter: RateLimiter): Promise<number> {
  let count = 0;
  while ((await limiter.take([{ policy: perHour, key: 'k' }])).allowed) count += 1;
  return count;
}

test('without Redis it is in memory: whole, at once, and no part of health', async () => {
  const { limiter, health, gauge } = await open(undefined, () => Promise.reject(new Error('not to be asked')));
  expect(limiter.take([{ policy: perHour, key: 'k' }])).not.toBeInstanceOf(Promise);
  expect(await drain(limiter)).toBe(99);
  expect(health.snapshot().components).toEqual([]);
  expect([await gauge('driver_degraded'), await gauge('instances')]).toEqual(['0', undefined]);
});

test('an instance that starts while Redis is away takes its share of those that live by the ledger, and says so', async () => {
  const away = () => Promise.reject(new HoldfastError('redis_unavailable', { detail: 'there is no connection to Redis' }));
  const redis = { client: { evalSha: away, eval: away } } as unknown as RedisConnection;
  const { limiter, health, gauge } = await open(redis, async () => 4);
  expect(await drain(limiter)).toBe(25);
  expect(health.snapshot()).toMatchObject({ status: 'degraded', components: [{ name: 'rate_limits', status: 'degraded' }] });
  expect(health.readiness().status).not.toBe('unhealthy');
  expect([await gauge('driver_degraded'), await gauge('instances')]).toEqual(['1', '4']);
});

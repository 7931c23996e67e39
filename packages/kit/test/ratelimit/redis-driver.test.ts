import {
  concurrency,
  createMemoryDriver,
  createRateLimiter,
  gcra,
  slidingWindow,
  type BucketTake,
  type LimitPolicy,
} from '@holdfast/kit/ratelimit';
import { rateLimitDriverContract } from '@holdfast/kit/ratelimit/contract';
import { createRedisDriver, type RedisScriptClient } from '@holdfast/kit/ratelimit/redis';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { systemRandom } from '@holdfast/kit/time';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { withScriptClock } from '../support/redis-clock.ts';
import { startTestRedis, type TestRedis, type TestRedisClient } from '../../../../test/support/redis.ts';

describe.skipIf(lacks('redis-server'))('limits in Redis', () => {
  let redis: TestRedis;
  let client: TestRedisClient;

  beforeAll(async () => {
    redis = await startTestRedis();
    client = await redis.connect();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => void (await client.flushAll()));

  /** Counts the round trips of a client. */
  function counted(inner: RedisScriptClient) {
    const calls: string[] = [];
    const client: RedisScriptClient = {
      evalSha: (sha1, options) => (calls.push('evalSha'), inner.evalSha(sha1, options)),
      eval: (text, options) => (calls.push('eval'), inner.eval(text, options)),
    };
    return { calls, client };
  }

  describe('the contract', () => {
    const cases = rateLimitDriverContract(async () => {
      await client.flushAll();
      const clock = createFakeClock();
      const driver = createRedisDriver({ client: withScriptClock(client, () => clock.now()), random: systemRandom });
      return { driver, advance: (elapsedMs) => clock.advance(elapsedMs), close: () => {} };
    });
    for (const { name, run } of cases) test(name, run);
  });

  test('decides, counts and settles step by step as memory does', async () => {
    const tokens = gcra({ name: 'tokens', limit: 997, periodMs: 10_000, burst: 400, unit: 'tokens' });
    const policies: readonly LimitPolicy[] = [
      gcra({ name: 'steady', limit: 7, periodMs: 1_000, burst: 12 }),
      tokens,
      slidingWindow({ name: 'window', limit: 25, windowMs: 3_001, slots: 9 }),
      slidingWindow({ name: 'tokens', limit: 700, windowMs: 5_000, unit: 'tokens' }),
      concurrency({ name: 'places', limit: 3, leaseMs: 2_500 }),
      slidingWindow({ name: 'shadow', limit: 3, windowMs: 1_000, shadow: true }),
    ];
    const step = fc.record({
      elapsedMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 8_000 })),
      taken: fc.uniqueArray(
        fc.record({ policy: fc.constantFrom(...policies), key: fc.constantFrom('a', 'b'), size: fc.integer({ min: 0, max: 9 }) }),
        {
          minLength: 1,
          maxLength: 6,
          selector: ({ policy, key }) => policy.id + key,
        },
      ),
      peek: fc.boolean(),
      end: fc.option(fc.record({ which: fc.nat(30), actual: fc.integer({ min: 0, max: 500 }) })),
      renew: fc.option(fc.nat(30)),
    });
    const toTake = ({ policy, key, size }: { policy: LimitPolicy; key: string; size: number }): BucketTake =>
      policy.kind === 'concurrency' ? { policy, key } : { policy, key, cost: policy.unit === 'tokens' ? size * 20 : size };

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        await client.flushAll();
        // Memory counts from the start of its clock: from one that began with the epoch, so that slots lie in the same places.
        const clock = createFakeClock({ nowMs: 0 });
        clock.advance(1_000_000);
        const shared = createRateLimiter({
          driver: createRedisDriver({ client: withScriptClock(client, () => clock.now()), random: createSeededRandom(1) }),
        });
        const memory = createRateLimiter({ driver: createMemoryDriver({ clock }) });
        const pairs = [];
        for (const { elapsedMs, taken, peek, end, renew } of steps) {
          clock.advance(elapsedMs);
          const takes = taken.map(toTake);
          const pair = peek
            ? ([await shared.peek(takes), memory.peek(takes)] as const)
            : ([await shared.take(takes), memory.take(takes)] as const);
          const shown = ({ allowed, nowMs, retryAfterMs, binding, buckets }: (typeof pair)[0]) => ({
            allowed,
            nowMs,
            retryAfterMs,
            binding: binding?.policy.id,
            buckets: buckets.map((bucket) => ({ ...bucket, mark: undefined })),
          });
          expect(shown(pair[0])).toEqual(shown(pair[1]));
          pairs.push(pair);
          if (end && pairs[end.which]) for (const decision of pairs[end.which]!) await decision.finish(end.actual);
          if (renew !== null && pairs[renew]) expect(await pairs[renew]![0].renew()).toBe(pairs[renew]![1].renew());
        }
        expect(await shared.list({ limit: 100 })).toEqual(memory.list({ limit: 100 }));
        memory.close();
      }),
      { numRuns: 60 },
    );
  });

  test('asks Redis once for any number of buckets, and once more only to tell it the script', async () => {
    await client.scriptFlush();
    const { calls, client: watched } = counted(client);
    const limiter = createRateLimiter({ driver: createRedisDriver({ client: watched, random: systemRandom }) });
    const policies = Array.from({ length: 40 }, (_, at) => gcra({ name: `p${at}`, limit: 100, unit: 'tokens' }));
    const take = [
      ...policies.map((policy) => ({ policy, key: 'k', cost: 10 })),
      { policy: concurrency({ name: 'c', limit: 5 }), key: 'k' },
    ];
    const first = await limiter.take(take);
    expect(calls).toEqual(['evalSha', 'eval']);
    const second = await limiter.take(take);
    expect(calls.slice(2)).toEqual(['evalSha']);
    await second.finish(3);
    await first.finish(4);
    expect(calls.slice(3)).toEqual(['evalSha', 'eval', 'evalSha']);
  });

  test('keeps every key in one slot of a cluster, and lets each end by itself', async () => {
    const limiter = createRateLimiter({ driver: createRedisDriver({ client, random: systemRandom, prefix: 'app' }) });
    const take = [
      { policy: gcra({ name: 'g', limit: 10, periodMs: 10_000, unit: 'tokens' }), key: 'k', cost: 9 },
      { policy: slidingWindow({ name: 'w', limit: 1, windowMs: 60_000 }), key: '{other}', cost: 1 },
      { policy: concurrency({ name: 'c', limit: 1, leaseMs: 5_000 }), key: 'k' },
    ];
    const { allowed, nowMs } = await limiter.take(take as BucketTake[]);
    expect(allowed).toBe(true);
    const keys = (await client.keys('*')).toSorted();
    expect(keys.length).toBe(7);
    expect(keys.filter((key) => !key.startsWith('{app}:'))).toEqual([]);
    for (const key of keys) {
      const ends = await client.pExpireTime(key);
      expect({ key, ends: ends > nowMs, inTime: ends <= nowMs + 33 * 24 * 3_600_000 }).toEqual({ key, ends: true, inTime: true });
    }
    // Redis reckons the end from a clock that it read a moment before or after the script did.
    const endsAfter = async (key: string) => Math.round(((await client.pExpireTime(`{app}:${key}`)) - nowMs) / 1_000);
    expect(await endsAfter('g:g:k')).toBe(9 + 1);
    expect(await endsAfter('c:c:k')).toBe(5 + 1);
    expect(await endsAfter('w:w:60000:60:{other}')).toBeLessThanOrEqual(61 + 1);
  });

  test('a clock that was set back stops a bucket for one period at most, and never empties it', async () => {
    let nowMs = 1_000_000_000;
    const driver = createRedisDriver({ client: withScriptClock(client, () => nowMs), random: systemRandom });
    const limiter = createRateLimiter({ driver });
    const policies = [
      gcra({ name: 'g', limit: 10, periodMs: 10_000 }),
      slidingWindow({ name: 'w', limit: 10, windowMs: 10_000, slots: 10 }),
    ];
    const levels = policies.map((policy) => ({ policy, key: 'k', cost: 10 }));
    expect((await limiter.take(levels)).allowed).toBe(true);
    nowMs -= 5_000;
    const held = await limiter.take(levels);
    expect(held.buckets.map(({ remaining, retryAfterMs }) => [remaining, retryAfterMs])).toEqual([
      [0, 15_000],
      [0, 16_000],
    ]);
    nowMs += 15_000;
    expect((await limiter.peek(levels)).buckets.map(({ remaining }) => remaining)).toEqual([10, 0]);

    // By a day: the clock was wrong then.
    await client.flushAll();
    nowMs += 86_400_000;
    await limiter.take(levels);
    nowMs -= 86_400_000;
    expect((await limiter.peek(levels)).buckets.map(({ remaining, retryAfterMs }) => [remaining, retryAfterMs])).toEqual([
      [0, 10_000],
      [10, 0],
    ]);
    expect((await limiter.take([levels[1]!])).allowed).toBe(true);
    expect((await limiter.take([levels[1]!])).allowed).toBe(false);
  });

  test('the list is bounded and forgets what drained', async () => {
    const clock = createFakeClock();
    const driver = createRedisDriver({ client: withScriptClock(client, () => clock.now()), random: systemRandom });
    const limiter = createRateLimiter({ driver });
    const policy = gcra({ name: 'many', limit: 10, periodMs: 1_000 });
    for (let at = 0; at < 300; at++) await limiter.take([{ policy, key: `k${at}`, cost: 5 + (at % 6) }]);
    expect(await client.zCard('{holdfast:ratelimit}:hot:g:many:')).toBe(256);
    expect((await limiter.list({ limit: 1_000 })).length).toBe(256);
    expect((await limiter.list({ limit: 3 })).map(({ used }) => used)).toEqual([10, 10, 10]);
    clock.advance(1_000);
    expect(await limiter.list()).toEqual([]);
  });

  test('a Redis that cannot decide is an error of its own and lets nothing through', async () => {
    const limiter = createRateLimiter({ driver: createRedisDriver({ client, random: systemRandom }) });
    const policy = gcra({ name: 'broken', limit: 10 });
    await client.lPush('{holdfast:ratelimit}:g:broken:k', 'of another kind');
    await expect(limiter.take([{ policy, key: 'k' }])).rejects.toMatchObject({ code: 'limiter_unavailable', retryAfterSeconds: 1 });
  });

  test.each(['', 'a{b', 'a}b'])('refuses the prefix "%s"', (prefix) => {
    expect(() => createRedisDriver({ client, random: systemRandom, prefix })).toThrow(/prefix/);
  });
});

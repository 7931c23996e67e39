import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { concurrency, createRateLimiter, gcra, slidingWindow, withLocalShare } from '@holdfast/kit/ratelimit';
import { createRedisDriver } from '@holdfast/kit/ratelimit/redis';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { compileCache } from '../../../../test/support/compile-cache.ts';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis, type TestRedisClient } from '../../../../test/support/redis.ts';
import type { FleetReport } from '../support/fleet-main.ts';

// Real processes, a real Redis, its real clock. What takes hours to come back is what is counted, so that no time has to pass.

describe.skipIf(lacks('redis-server'))('many at one Redis', () => {
  let redis: TestRedis;
  let client: TestRedisClient;

  beforeAll(async () => {
    redis = await startTestRedis();
    client = await redis.connect();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => void (await client.flushAll()));

  const limits = {
    gcra: gcra({ name: 'fleet', limit: 97, periodMs: 97 * 3_600_000, burst: 97 }),
    window: slidingWindow({ name: 'fleet', limit: 83, windowMs: 24 * 3_600_000 }),
    tokens: gcra({ name: 'tokens', limit: 10_000, periodMs: 10_000 * 3_600_000, unit: 'tokens' }),
    places: concurrency({ name: 'places', limit: 5, leaseMs: 600_000 }),
  };

  test('64 clients at once take what there is and no more, and a level that refuses takes nothing from the others', async () => {
    const limiters = await Promise.all(
      Array.from({ length: 64 }, async () =>
        createRateLimiter({ driver: createRedisDriver({ client: await redis.connect(), random: systemRandom }) }),
      ),
    );
    const takes = [limits.gcra, limits.window].map((policy) => ({ policy, key: 'k' }));
    const decisions = await Promise.all(limiters.flatMap((limiter) => Array.from({ length: 4 }, async () => limiter.take(takes))));
    expect(decisions.filter(({ allowed }) => allowed).length).toBe(83);
    expect((await limiters[0]!.peek(takes)).buckets.map(({ remaining }) => remaining)).toEqual([14, 0]);
  });

  test('4 processes take what there is and no more, never hold more places than there are, and leave the tokens that were used', async () => {
    const processes: ChildProcess[] = [];
    onTestFinished(() => processes.forEach((child) => void child.kill('SIGKILL')));
    const reports = await Promise.all(
      Array.from({ length: 4 }, (_, seed) => {
        const child = fork(join(import.meta.dirname, '../support/fleet-main.ts'), [redis.socketPath, String(seed + 1)], {
          execArgv: ['--conditions=dev-source'],
          env: { ...process.env, ...compileCache },
        });
        processes.push(child);
        return new Promise<FleetReport>((resolve, reject) => {
          child.once('message', (report) => resolve(report as FleetReport));
          child.once('exit', (code) => reject(new Error(`a process of the fleet ended with ${code} and no report`)));
        });
      }),
    );
    const sum = (count: (report: FleetReport) => number) => reports.reduce((total, report) => total + count(report), 0);
    expect(sum(({ admitted }) => admitted)).toBe(83);
    expect(Math.max(...reports.map(({ mostHeld }) => mostHeld))).toBeLessThanOrEqual(5);
    expect(sum(({ calls }) => calls)).toBeGreaterThan(0);
    const limiter = createRateLimiter({ driver: createRedisDriver({ client, random: systemRandom }) });
    const [tokens, places] = (
      await limiter.peek([
        { policy: limits.tokens, key: 'k' },
        { policy: limits.places, key: 'k' },
      ])
    ).buckets;
    // Hours for each token: none came back by itself.
    expect(tokens!.remaining).toBe(10_000 - sum(({ tokensUsed }) => tokensUsed));
    expect(places!.remaining).toBe(5);
  });

  test('when Redis dies, each instance goes on with its share, and when it is back, so are they', async () => {
    const drivers = await Promise.all(
      ['a', 'b'].map(async (instanceId) => {
        const shared = createRedisDriver({ client: await redis.connect(), random: systemRandom });
        return withLocalShare({ shared, clock: systemClock, instanceId, probeMs: 20, heartbeatMs: 20, timeoutMs: 2_000 });
      }),
    );
    onTestFinished(async () => void (await Promise.all(drivers.map((driver) => driver.close()))));
    for (const driver of drivers) await driver.start();
    await vi.waitFor(() => expect(drivers.map(({ state }) => state.instances)).toEqual([2, 2]));
    const limiters = drivers.map((driver) => createRateLimiter({ driver }));
    const takes = [{ policy: limits.window, key: 'k' }];
    for (let call = 0; call < 80; call++) expect((await limiters[call % 2]!.take(takes)).allowed).toBe(true);

    await redis.kill();
    let alone = 0;
    for (let call = 0; call < 200; call++) if ((await limiters[call % 2]!.take(takes)).allowed) alone++;
    expect(alone).toBe(2 * 41);
    expect(drivers.map(({ state }) => state.mode)).toEqual(['local', 'local']);

    await redis.restart();
    await vi.waitFor(() => expect(drivers.map(({ state }) => state.mode)).toEqual(['shared', 'shared']), { timeout: 10_000 });
    expect((await limiters[0]!.take(takes)).buckets[0]!.remaining).toBe(82);
    expect((await limiters[1]!.take(takes)).buckets[0]!.remaining).toBe(81);
  });
});

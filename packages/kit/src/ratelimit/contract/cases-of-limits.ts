import assert from 'node:assert/strict';
import type { BucketStatus } from '../driver.ts';
import { concurrency, gcra, slidingWindow, type GcraPolicy, type WindowPolicy } from '../policies/index.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { dice, type RateLimitHarness } from './harness.ts';
import { GcraModel, SlidingLog } from './models.ts';

type Run = (limiter: RateLimiter, harness: RateLimitHarness) => Promise<void>;

const steps = 60;

function waitsOnlyWhenRefused({ refused, retryAfterMs }: BucketStatus): void {
  if (refused) assert.ok(retryAfterMs > 0);
  else assert.equal(retryAfterMs, 0);
}

async function followsTheModel(policy: GcraPolicy, seed: number, limiter: RateLimiter, { advance }: RateLimitHarness): Promise<void> {
  const model = new GcraModel(policy);
  const roll = dice(seed);
  for (let step = 0; step < steps; step++) {
    await advance(
      roll(4) === 0
        ? roll(3 * Math.ceil((policy.burst * policy.periodMs) / policy.limit))
        : roll(Math.ceil(policy.periodMs / policy.limit)),
    );
    const cost = 1 + roll(Math.ceil(policy.burst / 2));
    const { allowed, nowMs, buckets } = await limiter.take([{ policy, key: 'm', cost }]);
    waitsOnlyWhenRefused(buckets[0]!);
    const expected = { allowed: model.take(cost, nowMs), remaining: model.remaining(nowMs), resetAfterMs: model.resetAfterMs(nowMs) };
    const { remaining, resetAfterMs } = buckets[0]!;
    assert.deepEqual({ allowed, remaining, resetAfterMs }, expected, `seed ${seed}, step ${step}`);
  }
}

async function keepsToTheLog(policy: WindowPolicy, seed: number, limiter: RateLimiter, { advance }: RateLimitHarness): Promise<void> {
  const log = new SlidingLog(policy);
  const roll = dice(seed);
  for (let step = 0; step < steps; step++) {
    await advance(roll(Math.ceil((2 * policy.windowMs) / policy.limit)));
    const cost = 1 + roll(3);
    const { allowed, nowMs, buckets } = await limiter.take([{ policy, key: 'l', cost }]);
    const place = `seed ${seed}, step ${step}`;
    waitsOnlyWhenRefused(buckets[0]!);
    if (allowed) log.add(cost, nowMs);
    else assert.ok(log.withinSlot(nowMs) + cost > policy.limit, `${place}: refused, though there was room for more than one slot`);
    assert.ok(log.within(nowMs) <= policy.limit, `${place}: above the limit`);
    assert.ok(buckets[0]!.remaining <= policy.limit - log.within(nowMs), `${place}: says that more remains than does`);
    assert.ok(buckets[0]!.remaining >= policy.limit - log.withinSlot(nowMs), `${place}: says that less remains than one slot explains`);
  }
}

/** Each kind of limit against its exact model, and what is given back. */
export const casesOfLimits: Readonly<Record<string, Run>> = {
  'GCRA decides, counts and resets like GCRA in rational arithmetic': async (limiter, harness) => {
    await followsTheModel(gcra({ name: 'sevenths', limit: 7, periodMs: 1_000, burst: 5 }), 1, limiter, harness);
    await followsTheModel(gcra({ name: 'primes', limit: 99_991, periodMs: 60_000, burst: 9_973, unit: 'tokens' }), 2, limiter, harness);
    await followsTheModel(gcra({ name: 'slow', limit: 1, periodMs: 86_400_000, burst: 2 }), 3, limiter, harness);
  },

  'a window is never above its limit, and refuses for one slot longer at most': async (limiter, harness) => {
    await keepsToTheLog(slidingWindow({ name: 'sixty', limit: 20, windowMs: 60_000 }), 1, limiter, harness);
    await keepsToTheLog(slidingWindow({ name: 'uneven', limit: 9, windowMs: 1_009, slots: 7 }), 2, limiter, harness);
    await keepsToTheLog(slidingWindow({ name: 'one', limit: 12, windowMs: 5_000, slots: 1 }), 3, limiter, harness);
  },

  'a window is empty again when it says that it will be': async (limiter, { advance }) => {
    const policy = slidingWindow({ name: 'resets', limit: 10, windowMs: 10_000, slots: 10 });
    const take = [{ policy, key: 'r', cost: 4 }];
    await limiter.take(take);
    await advance(3_333);
    const { resetAfterMs } = (await limiter.take(take)).buckets[0]!;
    await advance(resetAfterMs - 1);
    assert.equal((await limiter.peek(take)).buckets[0]!.remaining, 6);
    await advance(1);
    assert.deepEqual(
      (await limiter.peek(take)).buckets.map((bucket) => [bucket.remaining, bucket.resetAfterMs]),
      [[10, 0]],
    );
  },

  'the wait in a window is for as many slots as have to leave it, also when the whole limit is asked for': async (limiter, { advance }) => {
    const policy = slidingWindow({ name: 'leaves', limit: 5, windowMs: 10_000, slots: 10 });
    for (let unit = 0; unit < 5; unit++) {
      await limiter.take([{ policy, key: 'w' }]);
      await advance(1_001);
    }
    for (const cost of [3, 5]) {
      const take = [{ policy, key: 'w', cost }];
      const { retryAfterMs } = await limiter.peek(take);
      await advance(retryAfterMs - 1);
      assert.equal((await limiter.peek(take)).allowed, false);
      await advance(1);
      assert.equal((await limiter.peek(take)).allowed, true);
    }
  },

  'a window is empty when the last that still counts in it has left, not the last that was given back': async (limiter, { advance }) => {
    const policy = slidingWindow({ name: 'empties', limit: 10, windowMs: 9_000, slots: 9, unit: 'tokens' });
    const resetAfterMs = async () => (await limiter.peek([{ policy, key: 'r' }])).buckets[0]!.resetAfterMs;
    const kept = await limiter.take([{ policy, key: 'r', cost: 4 }]);
    const first = await resetAfterMs();
    for (let slot = 0; slot < 2; slot++) {
      await advance(1_000);
      const unused = await limiter.take([{ policy, key: 'r', cost: 3 }]);
      await unused.settle(0);
    }
    assert.equal(await resetAfterMs(), first - 2_000);
    await kept.settle(0);
    assert.equal(await resetAfterMs(), 0);
  },

  'what was reserved and not needed is given back, and what was needed beyond is taken': async (limiter) => {
    for (const policy of [
      gcra({ name: 'tokens', limit: 1_000, periodMs: 1_000_000_000, unit: 'tokens' }),
      slidingWindow({ name: 'tokens', limit: 1_000, windowMs: 3_600_000, unit: 'tokens' }),
    ]) {
      const left = async () => (await limiter.peek([{ policy, key: 't' }])).buckets[0]!.remaining;
      const less = await limiter.take([{ policy, key: 't', cost: 600 }]);
      const more = await limiter.take([{ policy, key: 't', cost: 100 }]);
      assert.equal(await left(), 300);
      await less.settle(150);
      await less.settle(0);
      assert.equal(await left(), 750);
      await more.settle(350);
      assert.equal(await left(), 500);
      // Beyond what is there: the rest is owed.
      const owed = await limiter.take([{ policy, key: 't', cost: 1 }]);
      await owed.settle(700);
      assert.equal(await left(), 0);
      assert.equal((await limiter.take([{ policy, key: 't', cost: 1 }])).allowed, false);
    }
  },

  'nothing is given back twice: what drained in the meantime is gone': async (limiter, { advance }) => {
    const policy = gcra({ name: 'drained', limit: 10, periodMs: 1_000, unit: 'tokens' });
    const first = await limiter.take([{ policy, key: 'd', cost: 10 }]);
    await advance(2_000);
    const second = await limiter.take([{ policy, key: 'd', cost: 10 }]);
    assert.ok(second.allowed);
    await first.settle(0);
    assert.equal((await limiter.take([{ policy, key: 'd' }])).allowed, false);
    await second.settle(4);
    assert.equal((await limiter.peek([{ policy, key: 'd' }])).buckets[0]!.remaining, 6);
  },

  'nothing is given back twice either where the limit was raised meanwhile': async (limiter, { advance }) => {
    const [low, high] = [3, 7].map((limit) => gcra({ name: 'raised', limit, periodMs: 1_000, burst: 10, unit: 'tokens' }));
    const first = await limiter.take([{ policy: low!, key: 'r', cost: 10 }]);
    await advance(2_000);
    assert.ok((await limiter.take([{ policy: high!, key: 'r', cost: 10 }])).allowed);
    await first.settle(0);
    assert.equal((await limiter.peek([{ policy: high!, key: 'r' }])).buckets[0]!.remaining, 0);
  },

  'a refusal has nothing to settle': async (limiter) => {
    const policy = gcra({ name: 'refused', limit: 10, periodMs: 100_000_000, unit: 'tokens' });
    await limiter.take([{ policy, key: 'n', cost: 8 }]);
    const refused = await limiter.take([{ policy, key: 'n', cost: 5 }]);
    await refused.finish(0);
    await refused.finish(9);
    assert.equal((await limiter.peek([{ policy, key: 'n' }])).buckets[0]!.remaining, 2);
  },

  'no more leases are held than the limit says, and each is released once': async (limiter) => {
    const policy = concurrency({ name: 'held', limit: 3, leaseMs: 60_000, retryAfterMs: 700 });
    const take = () => limiter.take([{ policy, key: 'h' }]);
    const held = [await take(), await take(), await take()];
    assert.ok(held.every(({ allowed }) => allowed));
    const refused = await take();
    assert.deepEqual([refused.allowed, refused.retryAfterMs], [false, 700]);
    await refused.release();
    await held[0]!.release();
    await held[0]!.release();
    await held[0]!.finish(0);
    assert.ok((await take()).allowed);
    assert.equal((await take()).allowed, false);
  },

  'a lease that nobody releases ends by itself, and one that is renewed does not': async (limiter, { advance }) => {
    const policy = concurrency({ name: 'leases', limit: 2, leaseMs: 10_000 });
    const take = () => limiter.take([{ policy, key: 'e' }]);
    const forgotten = await take();
    const kept = await take();
    await advance(9_999);
    assert.equal((await take()).allowed, false);
    assert.equal(await kept.renew(), true);
    await advance(1);
    assert.equal(await forgotten.renew(), false);
    const next = await take();
    assert.ok(next.allowed);
    // Its place is taken by another: releasing it now must not free that one.
    await forgotten.release();
    assert.equal((await take()).allowed, false);
    await advance(9_998);
    assert.equal((await limiter.peek([{ policy, key: 'e' }])).buckets[0]!.remaining, 0);
    await next.release();
    assert.equal((await limiter.peek([{ policy, key: 'e' }])).buckets[0]!.remaining, 1);
    await kept.release();
    assert.equal(await kept.renew(), false);
    assert.equal((await limiter.peek([{ policy, key: 'e' }])).buckets[0]!.remaining, 2);
  },

  'each lease ends at its own time, whatever the order in which they were renewed, and is then neither renewed nor listed': async (
    limiter,
    { advance },
  ) => {
    const policy = concurrency({ name: 'ends', limit: 3, leaseMs: 7_003 });
    const take = () => limiter.take([{ policy, key: 'o' }]);
    const remaining = async () => (await limiter.peek([{ policy, key: 'o' }])).buckets[0]!.remaining;
    const leases = [await take()];
    await advance(1_000);
    leases.push(await take());
    await advance(1_000);
    leases.push(await take());
    await advance(5_003);
    assert.equal(await leases[0]!.renew(), false);
    leases[0] = await take();
    assert.ok(leases[0]!.allowed);
    assert.equal(await leases[1]!.renew(), true);
    // Left are now: the third until 9,003, the others until 14,006.
    await advance(1_999);
    assert.equal(await remaining(), 0);
    await advance(1);
    assert.equal(await remaining(), 1);
    assert.deepEqual(
      (await limiter.list()).map(({ key, used }) => [key, used]),
      [['o', 2]],
    );
    await advance(5_003);
    assert.deepEqual(await limiter.list(), []);
    assert.ok((await take()).allowed);
  },

  'leases that began one after the other end one after the other': async (limiter, { advance }) => {
    const policy = concurrency({ name: 'ends', limit: 3, leaseMs: 5_000 });
    const take = () => limiter.take([{ policy, key: 'e' }]);
    for (let lease = 0; lease < 3; lease++) {
      await take();
      await advance(1_000);
    }
    await advance(2_000);
    for (let lease = 0; lease < 3; lease++) {
      assert.ok((await take()).allowed);
      assert.equal((await take()).allowed, false);
      await advance(1_000);
    }
  },

  'a limit may change while its bucket lives': async (limiter) => {
    const before = gcra({ name: 'changed', limit: 100, periodMs: 100_000_000 });
    const after = gcra({ name: 'changed', limit: 70, periodMs: 100_000_000 });
    await limiter.take([{ policy: before, key: 'c', cost: 60 }]);
    assert.equal((await limiter.peek([{ policy: after, key: 'c' }])).buckets[0]!.remaining, 10);
    const window = (limit: number) => slidingWindow({ name: 'changed', limit, windowMs: 3_600_000 });
    await limiter.take([{ policy: window(100), key: 'c', cost: 60 }]);
    assert.equal((await limiter.peek([{ policy: window(70), key: 'c' }])).buckets[0]!.remaining, 10);
  },

  'what is settled is one with the take: finish gives back and releases': async (limiter) => {
    const tokens = gcra({ name: 'whole', limit: 100, periodMs: 100_000_000, unit: 'tokens' });
    const places = concurrency({ name: 'whole', limit: 1 });
    const levels = [
      { policy: tokens, key: 'f', cost: 100 },
      { policy: places, key: 'f' },
    ];
    const call = await limiter.take(levels);
    await call.finish(30);
    assert.deepEqual(
      (await limiter.peek(levels)).buckets.map(({ remaining }) => remaining),
      [70, 1],
    );
  },

  'what is settled keeps its places, and what is released its tokens, until the other comes too': async (limiter) => {
    const tokens = gcra({ name: 'apart', limit: 100, periodMs: 100_000_000, unit: 'tokens' });
    const places = concurrency({ name: 'apart', limit: 1 });
    for (const [key, order] of [
      ['settled first', ['settle', 'release']],
      ['released first', ['release', 'settle']],
    ] as const) {
      const levels = [
        { policy: tokens, key, cost: 100 },
        { policy: places, key },
      ];
      const remaining = async () => (await limiter.peek(levels)).buckets.map((bucket) => bucket.remaining);
      const call = await limiter.take(levels);
      await (order[0] === 'settle' ? call.settle(30) : call.release());
      assert.deepEqual(await remaining(), order[0] === 'settle' ? [70, 0] : [0, 1]);
      await (order[1] === 'settle' ? call.settle(30) : call.release());
      assert.deepEqual(await remaining(), [70, 1]);
    }
  },

  'requests are not given back, whatever the call says that it needed': async (limiter) => {
    const policies = [
      gcra({ name: 'kept', limit: 10, periodMs: 100_000_000 }),
      slidingWindow({ name: 'kept', limit: 10, windowMs: 3_600_000 }),
    ];
    const levels = policies.map((policy) => ({ policy, key: 'r', cost: 4 }));
    const call = await limiter.take(levels);
    await call.finish(0);
    assert.deepEqual(
      (await limiter.peek(levels)).buckets.map(({ remaining }) => remaining),
      [6, 6],
    );
  },

  'there is a lease to renew only where one was taken': async (limiter, { driver }) => {
    const places = concurrency({ name: 'renewed', limit: 1 });
    const levels = [
      { policy: gcra({ name: 'renewed', limit: 100 }), key: 'l' },
      { policy: places, key: 'l' },
    ];
    assert.equal(await (await limiter.take(levels.slice(0, 1))).renew(), false);
    const held = await limiter.take(levels);
    assert.equal(await held.renew(), true);
    const refused = await limiter.take(levels);
    assert.equal(await refused.renew(), false);
    // A driver is given the buckets of a step as they are, and looks only after the leases that were taken.
    assert.equal(await driver.renew(held.buckets), true);
    assert.equal(await driver.renew(refused.buckets), true);
    await driver.settle(refused.buckets.map((bucket) => ({ bucket, actual: 50 })));
    assert.deepEqual(
      (await limiter.peek(levels)).buckets.map(({ remaining }) => remaining),
      [98, 0],
    );
    await held.release();
    assert.equal(await held.renew(), false);
  },
};

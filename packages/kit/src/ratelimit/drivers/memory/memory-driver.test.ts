import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../testing/index.ts';
import { GcraModel, SlidingLog } from '../../contract/index.ts';
import { bucketEvicted, concurrency, createRateLimiter, gcra, slidingWindow, type BucketEvicted } from '../../index.ts';
import { createMemoryDriver } from './index.ts';

function setUp(options: { maxBucketsPerPolicy?: number; sweepMs?: number } = {}) {
  const clock = createFakeClock();
  const driver = createMemoryDriver({ clock, ...options });
  return { clock, driver, limiter: createRateLimiter({ driver }) };
}

const elapsed = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 200_000 }));

describe('GCRA', () => {
  const policies = fc.record({
    limit: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000 })),
    periodMs: fc.oneof(fc.constantFrom(1, 1_000, 60_000), fc.integer({ min: 1, max: 3_600_000 })),
    burst: fc.integer({ min: 1, max: 1_000 }),
  });

  test('decides as in rational arithmetic, for any limit, cost and schedule', () => {
    fc.assert(
      fc.property(
        policies,
        fc.array(fc.record({ elapsed, share: fc.double({ min: 0, max: 1.1, noNaN: true }) }), { maxLength: 60 }),
        (numbers, steps) => {
          const policy = gcra({ name: 'g', ...numbers });
          const { clock, limiter } = setUp();
          const model = new GcraModel(policy);
          for (const { elapsed, share } of steps) {
            clock.advance(elapsed);
            const cost = Math.floor(share * policy.burst);
            const { allowed, nowMs, buckets } = limiter.take([{ policy, key: 'k', cost }]);
            expect(allowed).toBe(cost <= policy.burst && model.take(cost, nowMs));
            expect(buckets[0]).toMatchObject({ remaining: model.remaining(nowMs), resetAfterMs: model.resetAfterMs(nowMs) });
          }
        },
      ),
    );
  });

  test('lets no more through in any interval than the burst and the flow', () => {
    fc.assert(
      fc.property(policies, fc.array(elapsed, { minLength: 1, maxLength: 80 }), (numbers, steps) => {
        const policy = gcra({ name: 'g', ...numbers });
        const { clock, limiter } = setUp();
        const admitted: number[] = [];
        for (const elapsed of steps) {
          clock.advance(elapsed);
          if (limiter.take([{ policy, key: 'k' }]).allowed) admitted.push(clock.monotonic());
        }
        for (let from = 0; from < admitted.length; from++) {
          for (let to = from; to < admitted.length; to++) {
            const count = BigInt(to - from + 1);
            const flow = BigInt(admitted[to]! - admitted[from]!) * BigInt(policy.limit);
            expect((count - BigInt(policy.burst)) * BigInt(policy.periodMs) <= flow).toBe(true);
          }
        }
      }),
    );
  });
});

describe('a window', () => {
  const policies = fc
    .record({
      limit: fc.integer({ min: 1, max: 40 }),
      windowMs: fc.integer({ min: 60, max: 400_000 }),
      slots: fc.integer({ min: 1, max: 60 }),
    })
    .map((numbers) => slidingWindow({ name: 'w', ...numbers }));

  test('is never above the exact log, and refuses only what one slot more explains', () => {
    fc.assert(
      fc.property(policies, fc.array(fc.record({ elapsed, cost: fc.integer({ min: 0, max: 5 }) }), { maxLength: 80 }), (policy, steps) => {
        const { clock, limiter } = setUp();
        const log = new SlidingLog(policy);
        for (const { elapsed, cost } of steps) {
          clock.advance(elapsed);
          const { allowed, nowMs } = limiter.take([{ policy, key: 'k', cost }]);
          if (allowed) log.add(cost, nowMs);
          else expect(log.withinSlot(nowMs) + cost).toBeGreaterThan(policy.limit);
          expect(log.within(nowMs)).toBeLessThanOrEqual(policy.limit);
        }
      }),
    );
  });

  test('conserves what is settled: it holds the actual costs of what is within, and no more than a slot beyond', () => {
    const step = fc.record({
      elapsed,
      cost: fc.integer({ min: 0, max: 9 }),
      settle: fc.option(fc.record({ which: fc.nat(20), actual: fc.nat(15) })),
    });
    fc.assert(
      fc.property(policies, fc.array(step, { maxLength: 60 }), ({ limit, windowMs, slots }, steps) => {
        const policy = slidingWindow({ name: 'w', limit, windowMs, slots, unit: 'tokens' });
        const { clock, limiter } = setUp();
        const log = new SlidingLog(policy);
        const open: { readonly decision: ReturnType<typeof limiter.take>; readonly entry: { cost: number } }[] = [];
        for (const { elapsed, cost, settle } of steps) {
          clock.advance(elapsed);
          const decision = limiter.take([{ policy, key: 'k', cost }]);
          if (decision.allowed) open.push({ decision, entry: log.add(cost, decision.nowMs) });
          const ended = settle && open[settle.which];
          if (ended) {
            open.splice(settle.which, 1);
            ended.decision.settle(settle.actual);
            // What was needed beyond is charged when it is known.
            if (settle.actual > ended.entry.cost) log.add(settle.actual - ended.entry.cost, clock.now());
            else ended.entry.cost = settle.actual;
          }
          const used = limiter.peek([{ policy: slidingWindow({ name: 'w', limit: 1_000_000, windowMs, slots }), key: 'k' }]).buckets[0]!;
          expect(1_000_000 - used.remaining).toBeGreaterThanOrEqual(log.within(clock.now()));
          expect(1_000_000 - used.remaining).toBeLessThanOrEqual(log.withinSlot(clock.now()));
        }
      }),
    );
  });
});

describe('settling tokens', () => {
  const policy = gcra({ name: 't', limit: 7, periodMs: 1_000, burst: 100, unit: 'tokens' });
  const step = fc.record({
    elapsed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 30_000 })),
    cost: fc.integer({ min: 0, max: 60 }),
    settle: fc.option(fc.record({ which: fc.nat(8), actual: fc.oneof(fc.nat(20), fc.nat(90)) })),
  });

  interface Entry {
    readonly atMs: number;
    cost: number;
  }

  /** What would be in the bucket had everything been taken at its actual cost in the first place. */
  function replayed(entries: readonly Entry[], nowMs: number): GcraModel {
    const model = new GcraModel(policy);
    for (const { atMs, cost } of entries) model.force(cost, atMs);
    model.force(0, nowMs);
    return model;
  }

  test('never leaves more room than there would be had the actual cost been taken in the first place', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 60 }), (steps) => {
        const { clock, limiter } = setUp();
        const entries: Entry[] = [];
        const open: { readonly decision: ReturnType<typeof limiter.take>; readonly entry: Entry }[] = [];
        for (const { elapsed, cost, settle } of steps) {
          clock.advance(elapsed);
          const decision = limiter.take([{ policy, key: 'k', cost }]);
          if (decision.allowed) {
            const entry = { atMs: decision.nowMs, cost };
            entries.push(entry);
            open.push({ decision, entry });
          }
          const ended = settle && open[settle.which];
          if (ended) {
            open.splice(settle.which, 1);
            ended.decision.settle(settle.actual);
            if (settle.actual > ended.entry.cost) entries.push({ atMs: clock.now(), cost: settle.actual - ended.entry.cost });
            else ended.entry.cost = settle.actual;
          }
          const now = clock.now();
          const left = limiter.peek([{ policy, key: 'k' }]).buckets[0]!;
          const exact = replayed(entries, now);
          expect(left.remaining).toBeLessThanOrEqual(exact.remaining(now));
          expect(left.resetAfterMs).toBeGreaterThanOrEqual(exact.resetAfterMs(now));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('is exact for calls one after the other, and for many at once, in whatever order they end', () => {
    const call = fc.record({ cost: fc.integer({ min: 0, max: 30 }), share: fc.double({ min: 0, max: 1, noNaN: true }), order: fc.nat() });
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 5 }),
        fc.array(call, { maxLength: 9 }),
        fc.nat(20_000),
        fc.nat(50),
        (single, many, pauseMs, meanwhileMs) => {
          const { clock, limiter } = setUp();
          const entries: Entry[] = [];
          const isExact = () => {
            const now = clock.now();
            expect(limiter.peek([{ policy, key: 'k' }]).buckets[0]!.resetAfterMs).toBe(replayed(entries, now).resetAfterMs(now));
          };
          const take = ({ cost, share, order }: { cost: number; share: number; order: number }) => {
            const decision = limiter.take([{ policy, key: 'k', cost }]);
            const actual = Math.floor(cost * share);
            if (decision.allowed) entries.push({ atMs: clock.now(), cost: actual });
            return { end: () => decision.settle(actual), order };
          };
          for (const each of single) {
            const { end } = take(each);
            clock.advance(meanwhileMs);
            end();
            isExact();
          }
          clock.advance(pauseMs);
          for (const { end } of many.map(take).toSorted((a, b) => a.order - b.order)) end();
          isExact();
        },
      ),
    );
  });
});

describe('sums at the end of what numbers can count', () => {
  test('what is owed beyond is forgiven, and the bucket goes on', () => {
    const { limiter } = setUp();
    const policy = gcra({ name: 't', limit: 60, unit: 'tokens' });
    limiter.take([{ policy, key: 'k' }]).settle(Number.MAX_SAFE_INTEGER);
    const { remaining, resetAfterMs, refused } = limiter.take([{ policy, key: 'k' }]).buckets[0]!;
    expect([remaining, resetAfterMs, refused]).toEqual([0, Number.MAX_SAFE_INTEGER, true]);
  });

  test('who reserved before they begin anew gets nothing back: the safe side', () => {
    const { limiter } = setUp();
    // Weighs 86,400,000 a unit: two and a half bursts are more than half of what can be counted.
    const policy = gcra({ name: 't', limit: 1_000_003, periodMs: 86_400_000, burst: 40_000_000, unit: 'tokens' });
    const remaining = () => limiter.peek([{ policy, key: 'k' }]).buckets[0]!.remaining;
    const before = limiter.take([{ policy, key: 'k', cost: 20_000_000 }]);
    limiter.take([{ policy, key: 'k', cost: 20_000_000 }]).settle(0);
    expect(remaining()).toBe(20_000_000);
    const after = limiter.take([{ policy, key: 'k', cost: 20_000_000 }]);
    before.settle(0);
    expect(remaining()).toBe(0);
    after.settle(5_000_000);
    expect(remaining()).toBe(15_000_000);
  });
});

describe('memory', () => {
  test('where room is made, the fullest stay', () => {
    const { driver, limiter } = setUp({ maxBucketsPerPolicy: 100 });
    const policy = gcra({ name: 'ip', limit: 10 });
    const evicted: BucketEvicted[] = [];
    const stop = bucketEvicted.subscribe((message) => evicted.push(message));
    for (let at = 0; at < 2_000; at++) {
      if (at < 100 && at % 5 === 0) limiter.take([{ policy, key: `full ${at}`, cost: 10 }]);
      limiter.take([{ policy, key: `light ${at}` }]);
    }
    stop();
    expect([evicted.length, driver.evictions, driver.bucketCount()]).toEqual([1_920, 1_920, 100]);
    expect(evicted.filter(({ policy, key }) => policy !== 'ip' || !key.startsWith('light'))).toEqual([]);
    limiter.close();
  });

  test('what is idle goes without anybody coming, and then no timer is left', () => {
    const { clock, driver, limiter } = setUp({ sweepMs: 1_000 });
    expect(clock.pendingTimers).toBe(0);
    for (let at = 0; at < 50; at++) limiter.take([{ policy: gcra({ name: 'g', limit: 10, periodMs: 10_000 }), key: `${at}` }]);
    const lease = limiter.take([{ policy: concurrency({ name: 'c', limit: 1, leaseMs: 30_000 }), key: 'c' }]);
    limiter.take([{ policy: slidingWindow({ name: 'w', limit: 1, windowMs: 5_000 }), key: 'w' }]);
    expect([driver.bucketCount(), clock.pendingTimers]).toEqual([52, 1]);
    clock.advance(2_000);
    expect(driver.bucketCount()).toBe(2);
    clock.advance(5_000);
    expect(driver.bucketCount()).toBe(1);
    lease.release();
    clock.advance(1_000);
    expect([driver.bucketCount(), clock.pendingTimers]).toEqual([0, 0]);
  });

  test('looking and being refused leave no bucket behind', () => {
    const { clock, driver, limiter } = setUp();
    const policy = gcra({ name: 'g', limit: 1 });
    limiter.peek([{ policy, key: 'a' }]);
    limiter.take([{ policy, key: 'b', cost: 2 }]);
    expect([driver.bucketCount(), clock.pendingTimers]).toEqual([0, 0]);
  });

  test('a bucket that is dropped for another of the same step is not lost with what is put in', () => {
    const { limiter } = setUp();
    const policy = gcra({ name: 'g', limit: 10 });
    limiter.take([{ policy, key: 'a', cost: 0 }]);
    limiter.take([
      { policy, key: 'b' },
      { policy, key: 'a', cost: 4 },
    ]);
    expect(limiter.peek([{ policy, key: 'a' }]).buckets[0]!.remaining).toBe(6);
    limiter.close();
  });

  test('buckets are counted by policy', () => {
    const { driver, limiter } = setUp();
    const [a, b] = [gcra({ name: 'a', limit: 10 }), gcra({ name: 'b', limit: 10 })];
    for (const key of ['1', '2', '3']) limiter.take([{ policy: a, key }]);
    expect([driver.bucketCount(a), driver.bucketCount(b), driver.bucketCount()]).toEqual([3, 0, 3]);
    limiter.take([{ policy: b, key: '1' }]);
    expect([driver.bucketCount(a), driver.bucketCount(b), driver.bucketCount()]).toEqual([3, 1, 4]);
  });

  test('what is idle also goes as new ones come, so that the sweep has little left', () => {
    const { clock, driver, limiter } = setUp({ sweepMs: 1_000_000_000 });
    const policy = gcra({ name: 'g', limit: 10, periodMs: 10_000 });
    const busy = gcra({ name: 'g', limit: 10, periodMs: 1_000_000_000 });
    limiter.take([{ policy: busy, key: 'busy' }]);
    for (let at = 0; at < 500; at++) {
      limiter.take([{ policy, key: `${at}` }]);
      clock.advance(100);
    }
    // Ten are in use at a time, and as many again wait for the next that looks at them.
    expect(driver.bucketCount()).toBeLessThan(40);
    expect(limiter.peek([{ policy: busy, key: 'busy' }]).buckets[0]!.remaining).toBe(9);
  });

  test('none is lost or counted twice when others are dropped from among them', () => {
    const { clock, driver, limiter } = setUp({ sweepMs: 1_000 });
    const window = (windowMs: number) => slidingWindow({ name: 'w', limit: 10, windowMs, slots: 1 });
    const lasting = window(3_600_000);
    const brief = (at: number) => (at * 7) % 5 < 3;
    for (let at = 0; at < 60; at++) {
      limiter.take([{ policy: gcra({ name: 'g', limit: 10, periodMs: brief(at) ? 1_000 : 3_600_000 }), key: `${at}`, cost: 10 }]);
      limiter.take([{ policy: lasting, key: `${at}`, cost: 5 }]);
    }
    clock.advance(5_000);
    const kept = Array.from({ length: 60 }, (_, at) => at).filter((at) => !brief(at));
    expect(driver.bucketCount()).toBe(kept.length + 60);
    const listed = limiter.list({ policy: 'g', limit: 1_000 }).map(({ key }) => Number(key));
    expect(listed.toSorted((a, b) => a - b)).toEqual(kept);
    clock.advance(2 * 3_600_000);
    expect([driver.bucketCount(), clock.pendingTimers]).toEqual([0, 0]);
  });

  test('a bucket that was forgotten for want of room begins anew', () => {
    const { driver, limiter } = setUp({ maxBucketsPerPolicy: 1 });
    const policy = gcra({ name: 'g', limit: 1 });
    expect(limiter.take([{ policy, key: 'a' }]).allowed).toBe(true);
    expect(limiter.take([{ policy, key: 'b' }]).allowed).toBe(true);
    expect(limiter.take([{ policy, key: 'a' }]).allowed).toBe(true);
    expect([driver.bucketCount(), driver.evictions]).toEqual([1, 2]);
  });

  test.each([
    ['of a flow', (limit: number) => gcra({ name: 'p', limit: 50_000_000, periodMs: 1_000_000_000_000, burst: limit })],
    ['of a window', (limit: number) => slidingWindow({ name: 'p', limit, windowMs: 3_600_000 })],
  ])('who has to go is the least full by the limit that it has, %s', (_name, policy) => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
    ]) {
      const { limiter } = setUp({ maxBucketsPerPolicy: 3 });
      const evicted: string[] = [];
      const stop = bucketEvicted.subscribe(({ key }) => evicted.push(key));
      const buckets = [
        { policy: policy(10), key: 'three of ten', cost: 3 },
        { policy: policy(100), key: 'twenty of a hundred', cost: 20 },
        { policy: policy(4), key: 'two of four', cost: 2 },
      ];
      for (const at of order) limiter.take([buckets[at]!]);
      limiter.take([{ policy: policy(2), key: 'new' }]);
      stop();
      expect(evicted).toEqual(['twenty of a hundred']);
    }
  });

  test('one that is idle goes first, and nobody is told', () => {
    const { driver, limiter } = setUp({ maxBucketsPerPolicy: 10 });
    const policy = gcra({ name: 'g', limit: 10 });
    for (let at = 0; at < 9; at++) limiter.take([{ policy, key: `${at}` }]);
    limiter.take([{ policy, key: 'idle', cost: 0 }]);
    const evicted: unknown[] = [];
    const stop = bucketEvicted.subscribe((message) => evicted.push(message));
    limiter.take([{ policy, key: 'new' }]);
    stop();
    expect([evicted, driver.evictions, driver.bucketCount()]).toEqual([[], 0, 10]);
  });

  test('what is settled after its bucket was forgotten: less leaves nothing behind, more is taken from that key alone', () => {
    const { clock, driver, limiter } = setUp();
    const policy = gcra({ name: 't', limit: 60, periodMs: 1_000, unit: 'tokens' });
    const calls = [20, 20, 20].map((cost) => limiter.take([{ policy, key: 'k', cost }]));
    clock.advance(20_000);
    expect(driver.bucketCount()).toBe(0);
    calls[0]!.settle(5);
    calls[1]!.settle(20);
    expect([driver.bucketCount(), clock.pendingTimers]).toEqual([0, 0]);
    calls[2]!.settle(50);
    const left = (key: string) => limiter.peek([{ policy, key }]).buckets[0]!.remaining;
    expect([left('k'), left('another'), driver.bucketCount(), clock.pendingTimers]).toEqual([30, 60, 1, 1]);
  });

  test('closing leaves no timer, also when it is used after', () => {
    const { clock, limiter } = setUp();
    const take = (key: string) => limiter.take([{ policy: gcra({ name: 'g', limit: 1 }), key }]);
    take('before');
    expect(clock.pendingTimers).toBe(1);
    limiter.close();
    expect(clock.pendingTimers).toBe(0);
    expect(take('after').allowed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('the machine’s clock may be set without effect', () => {
    const { clock, limiter } = setUp();
    const take = () => limiter.take([{ policy: gcra({ name: 'g', limit: 1 }), key: 'k' }]);
    take();
    clock.setNow(clock.now() + 86_400_000);
    expect(take().allowed).toBe(false);
    clock.setNow(0);
    expect(take()).toMatchObject({ allowed: false, retryAfterMs: 60_000, nowMs: 0 });
  });

  test.each([0, 1.5, Number.NaN])('refuses %s as a bound', (maxBucketsPerPolicy) => {
    expect(() => setUp({ maxBucketsPerPolicy })).toThrow(
      expect.objectContaining({
        code: 'configuration_invalid',
        message: `maxBucketsPerPolicy must be a whole number of 1 or more, not ${maxBucketsPerPolicy}`,
      }),
    );
  });
});

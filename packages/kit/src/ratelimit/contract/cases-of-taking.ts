import assert from 'node:assert/strict';
import { concurrency, gcra, slidingWindow } from '../policies/index.ts';
import { createRateLimiter, type RateLimiter } from '../rate-limiter.ts';
import { dice, type RateLimitHarness } from './harness.ts';

type Run = (limiter: RateLimiter, harness: RateLimitHarness) => Promise<void>;

const wide = gcra({ name: 'wide', limit: 100, periodMs: 100_000 });
const narrow = gcra({ name: 'narrow', limit: 2, periodMs: 100_000 });
const minute = slidingWindow({ name: 'minute', limit: 50, windowMs: 60_000 });
const places = concurrency({ name: 'places', limit: 10, leaseMs: 60_000 });

/** Many buckets at once: all or none, whoever else is there. */
export const casesOfTaking: Readonly<Record<string, Run>> = {
  'a level that refuses takes nothing from the others': async (limiter) => {
    const levels = [wide, minute, places, narrow].map((policy) => ({ policy, key: 'a' }));
    assert.ok((await limiter.take(levels)).allowed);
    assert.ok((await limiter.take(levels)).allowed);
    for (let again = 0; again < 5; again++) {
      const refused = await limiter.take(levels);
      assert.equal(refused.allowed, false);
      assert.equal(refused.binding?.policy.name, 'narrow');
      assert.deepEqual(
        refused.buckets.map(({ remaining, taken }) => [remaining, taken]),
        [
          [98, false],
          [48, false],
          [8, false],
          [0, false],
        ],
      );
    }
  },

  'the place of a level in the list makes no difference': async (limiter) => {
    const roll = dice(7);
    await limiter.take([{ policy: narrow, key: 'p', cost: 2 }]);
    for (let round = 0; round < 20; round++) {
      const levels = [wide, minute, narrow].map((policy) => ({ policy, key: 'p' })).sort(() => roll(3) - 1);
      assert.equal((await limiter.take(levels)).allowed, false);
    }
    const [wideNow, minuteNow] = (await limiter.peek([wide, minute].map((policy) => ({ policy, key: 'p' })))).buckets;
    assert.deepEqual([wideNow?.remaining, minuteNow?.remaining], [100, 50]);
  },

  'peek says what take would and takes nothing': async (limiter) => {
    const take = [
      { policy: wide, key: 'k', cost: 60 },
      { policy: minute, key: 'k', cost: 3 },
      { policy: places, key: 'k' },
    ];
    for (let again = 0; again < 3; again++) {
      const seen = await limiter.peek(take);
      assert.equal(seen.allowed, true);
      assert.deepEqual(
        seen.buckets.map(({ remaining, taken }) => [remaining, taken]),
        [
          [100, false],
          [50, false],
          [10, false],
        ],
      );
    }
    assert.ok((await limiter.take(take)).allowed);
    const after = await limiter.peek(take);
    assert.equal(after.allowed, false);
    assert.deepEqual(
      after.buckets.map(({ remaining, refused }) => [remaining, refused]),
      [
        [40, true],
        [47, false],
        [9, false],
      ],
    );
  },

  'a hundred buckets are one step': async (limiter) => {
    const many = Array.from({ length: 100 }, (_, at) => ({ policy: at % 2 === 0 ? wide : minute, key: `of ${at}` }));
    assert.ok((await limiter.take(many)).allowed);
    const all = await limiter.take([...many, { policy: narrow, key: 'x', cost: 3 }]);
    assert.equal(all.allowed, false);
    assert.ok((await limiter.peek(many)).buckets.every(({ policy, remaining }) => remaining === policy.limit - 1));
  },

  'no bucket at all is let through': async (limiter) => {
    const decision = await limiter.take([]);
    assert.deepEqual([decision.allowed, decision.binding, decision.buckets], [true, undefined, []]);
  },

  'keys and names are kept apart, whatever is in them': async (limiter) => {
    const keys = ['', ' ', 'a', 'A', 'a:b', 'a:b:c', ':', '{a}', 'a\nb', 'a\0b', 'ä', '💥', '%s %d', 'sha256:a', '__proto__', '1 2 3 x'];
    const other = gcra({ name: 'narrow.2', limit: 2, periodMs: 100_000 });
    for (const policy of [narrow, other]) {
      for (const key of keys) {
        assert.ok((await limiter.take([{ policy, key, cost: 2 }])).allowed, JSON.stringify(key));
        assert.equal((await limiter.take([{ policy, key }])).allowed, false, JSON.stringify(key));
      }
    }
    const long = 'x'.repeat(100_000);
    assert.ok((await limiter.take([{ policy: narrow, key: `${long}1`, cost: 2 }])).allowed);
    assert.ok((await limiter.take([{ policy: narrow, key: `${long}2`, cost: 2 }])).allowed);
    assert.equal((await limiter.take([{ policy: narrow, key: `${long}1` }])).allowed, false);
  },

  'of 64 that come at once as many are let through as there is room for': async (limiter) => {
    const policies = [
      gcra({ name: 'at-once', limit: 40, periodMs: 40_000_000 }),
      slidingWindow({ name: 'at-once', limit: 37, windowMs: 3_600_000 }),
    ];
    const levels = policies.map((policy) => ({ policy, key: 'one' }));
    const decisions = await Promise.all(Array.from({ length: 64 }, async () => limiter.take(levels)));
    assert.equal(decisions.filter(({ allowed }) => allowed).length, 37);
    assert.deepEqual(
      (await limiter.peek(levels)).buckets.map(({ remaining }) => remaining),
      [3, 0],
    );
  },

  'a bucket in shadow says that it would refuse, and is kept as if it had': async (limiter) => {
    const shadow = gcra({ name: 'shadow', limit: 2, periodMs: 100_000, shadow: true });
    const levels = [
      { policy: wide, key: 's' },
      { policy: shadow, key: 's' },
    ];
    for (let call = 1; call <= 5; call++) {
      const { allowed, buckets, binding } = await limiter.take(levels);
      assert.deepEqual([allowed, binding?.policy.name], [true, 'wide']);
      assert.deepEqual(
        buckets.map(({ refused, taken }) => [refused, taken]),
        [
          [false, true],
          [call > 2, call <= 2],
        ],
      );
    }
  },

  'without a limit everything is counted and nothing refused': async (limiter) => {
    const counted = slidingWindow({ name: 'counted', limit: Number.POSITIVE_INFINITY, windowMs: 60_000 });
    for (let call = 0; call < 50; call++) {
      const { allowed, binding, buckets } = await limiter.take([{ policy: counted, key: 'u', cost: 1_000_000 }]);
      assert.deepEqual([allowed, binding, buckets[0]!.remaining], [true, undefined, Number.POSITIVE_INFINITY]);
    }
    const bounded = slidingWindow({ name: 'counted', limit: 50_000_001, windowMs: 60_000 });
    assert.equal((await limiter.peek([{ policy: bounded, key: 'u' }])).buckets[0]!.remaining, 1);
  },

  'waiting as long as is said is enough, and a millisecond less is not': async (limiter, { advance }) => {
    const policies = [
      gcra({ name: 'wait', limit: 7, periodMs: 1_000, burst: 3 }),
      slidingWindow({ name: 'wait', limit: 5, windowMs: 1_000, slots: 7 }),
    ];
    const roll = dice(11);
    for (const policy of policies) {
      for (let round = 0; round < 15; round++) {
        const take = [{ policy, key: 'w', cost: 1 + roll(3) }];
        let decision = await limiter.take(take);
        if (decision.allowed) {
          await advance(roll(120));
          continue;
        }
        assert.ok(decision.retryAfterMs > 0);
        await advance(decision.retryAfterMs - 1);
        assert.equal((await limiter.peek(take)).allowed, false);
        await advance(1);
        decision = await limiter.take(take);
        assert.equal(decision.allowed, true);
      }
    }
  },

  'what a bucket never holds is refused for good': async (limiter) => {
    for (const policy of [narrow, minute]) {
      const decision = await limiter.take([{ policy, key: 'big', cost: 51 }]);
      assert.deepEqual([decision.allowed, decision.retryAfterMs], [false, Number.POSITIVE_INFINITY]);
    }
  },

  'the list says how much a bucket holds: of a flow its burst, of the others their limit': async (limiter) => {
    const flow = gcra({ name: 'flow', limit: 100, periodMs: 100_000_000, burst: 40 });
    const window = slidingWindow({ name: 'span', limit: 30, windowMs: 3_600_000 });
    await limiter.take([
      { policy: flow, key: 'l', cost: 40 },
      { policy: window, key: 'l', cost: 20 },
    ]);
    assert.deepEqual(
      (await limiter.list()).map(({ policy, used, capacity }) => [policy, used, capacity]),
      [
        ['flow', 40, 40],
        ['span', 20, 30],
      ],
    );
  },

  'the list has the fullest buckets first and no more than are asked for': async (limiter) => {
    for (let at = 1; at <= 9; at++) await limiter.take([{ policy: wide, key: `k${at}`, cost: at * 10 }]);
    await limiter.take([{ policy: minute, key: 'm', cost: 49 }]);
    for (let lease = 0; lease < 6; lease++) await limiter.take([{ policy: places, key: 'c' }]);
    const listed = await limiter.list({ limit: 4 });
    assert.deepEqual(
      listed.map(({ policy, kind, key, used, capacity }) => [policy, kind, key, used, capacity]),
      [
        ['minute', 'window', 'm', 49, 50],
        ['wide', 'gcra', 'k9', 90, 100],
        ['wide', 'gcra', 'k8', 80, 100],
        ['wide', 'gcra', 'k7', 70, 100],
      ],
    );
    assert.ok(listed.every(({ resetAfterMs }) => resetAfterMs > 0));
    assert.deepEqual(
      (await limiter.list({ policy: 'places' })).map(({ key, used }) => [key, used]),
      [['c', 6]],
    );
  },
};

export const runOn = (run: Run) => async (harness: RateLimitHarness) => run(createRateLimiter({ driver: harness.driver }), harness);

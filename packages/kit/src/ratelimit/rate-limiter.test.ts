import { describe, expect, test } from 'vitest';
import { errorTraits } from '../errors/index.ts';
import { createFakeClock } from '../testing/index.ts';
import {
  bucketEvicted,
  concurrency,
  createMemoryDriver,
  createRateLimiter,
  gcra,
  limitLevels,
  limitTiers,
  refusalError,
  settlementLost,
  slidingWindow,
  storeLost,
  storeRecovered,
  takeDecided,
  tighterDecision,
  tierPolicies,
  type Decision,
  type LimitTier,
  type LimitTierName,
} from './index.ts';

const setUp = () => {
  const clock = createFakeClock();
  return { clock, limiter: createRateLimiter({ driver: createMemoryDriver({ clock }) }) };
};

describe('the bucket that binds', () => {
  test('is the one with room for the fewest more such calls, whatever its unit', () => {
    const { limiter } = setUp();
    const requests = gcra({ name: 'requests', limit: 100 });
    const tokens = gcra({ name: 'tokens', limit: 100_000, unit: 'tokens' });
    const take = (cost: number) =>
      limiter.take([
        { policy: requests, key: 'k' },
        { policy: tokens, key: 'k', cost },
      ]).binding?.policy.name;
    expect([take(10), take(90_000)]).toEqual(['requests', 'tokens']);
  });

  test('is of two that are as tight the one that resets later', () => {
    const { limiter } = setUp();
    const [minute, hour] = [60_000, 3_600_000].map((windowMs) => slidingWindow({ name: `w${windowMs}`, limit: 10, windowMs }));
    expect(
      limiter.take([
        { policy: minute!, key: 'k' },
        { policy: hour!, key: 'k' },
      ]).binding?.policy,
    ).toBe(hour);
    expect(
      limiter.take([
        { policy: hour!, key: 'j' },
        { policy: minute!, key: 'j' },
      ]).binding?.policy,
    ).toBe(hour);
  });

  test('is of several that refuse the one to wait for longest, and the wait is enough for all', () => {
    const { clock, limiter } = setUp();
    const policies = [
      gcra({ name: 'fast', limit: 1, periodMs: 1_000 }),
      gcra({ name: 'slow', limit: 1, periodMs: 9_000 }),
      concurrency({ name: 'c', limit: 5 }),
    ];
    const takes = policies.map((policy) => ({ policy, key: 'k' }));
    limiter.take(takes);
    const refused = limiter.take(takes);
    expect(refused).toMatchObject({ allowed: false, retryAfterMs: 9_000, binding: { policy: { name: 'slow' } } });
    clock.advance(refused.retryAfterMs);
    expect(limiter.take(takes).allowed).toBe(true);
  });
});

describe('a take that makes no sense', () => {
  const policy = gcra({ name: 'g', limit: 10, unit: 'tokens' });
  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('is refused as a fault of the program: a cost of %s', (cost) => {
    const { limiter } = setUp();
    expect(() => limiter.take([{ policy, key: 'k', cost }])).toThrow(
      expect.objectContaining({ code: 'internal_error', message: `a cost is a whole number of 0 or more, not ${cost}` }),
    );
    expect(() => limiter.peek([{ policy, key: 'k', cost }])).toThrow(/cost/);
    const decision = limiter.take([{ policy, key: 'k', cost: 5 }]);
    expect(() => decision.settle(cost)).toThrow(/cost/);
    decision.settle(1);
    expect(limiter.peek([{ policy, key: 'k' }]).buckets[0]!.remaining).toBe(9);
  });

  test('is refused: the same bucket twice, which would be checked twice against the same room', () => {
    const { limiter } = setUp();
    const again = gcra({ name: 'g', limit: 20, unit: 'tokens' });
    expect(() =>
      limiter.take([
        { policy, key: 'k', cost: 6 },
        { policy: again, key: 'k', cost: 6 },
      ]),
    ).toThrow(/twice/);
    expect(
      limiter.take([
        { policy, key: 'k', cost: 6 },
        { policy, key: 'j', cost: 6 },
      ]).allowed,
    ).toBe(true);
    const long = 'x'.repeat(300);
    expect(() =>
      limiter.take([
        { policy, key: long },
        { policy, key: long },
      ]),
    ).toThrow(/twice/);
  });

  test('is refused: more than one place at once', () => {
    const { limiter } = setUp();
    expect(() => limiter.take([{ policy: concurrency({ name: 'c', limit: 5 }), key: 'k', cost: 2 }])).toThrow(
      'a lease of c costs 1, not 2',
    );
    expect(limiter.take([{ policy: concurrency({ name: 'c', limit: 5 }), key: 'k', cost: 1 }]).allowed).toBe(true);
  });
});

test('of a key above 200 characters only the digest is kept, of others all', () => {
  const { limiter } = setUp();
  const policy = gcra({ name: 'g', limit: 1 });
  const kept = (length: number) => limiter.take([{ policy, key: 'x'.repeat(length) }]).buckets[0]!.key;
  expect(kept(200)).toBe('x'.repeat(200));
  expect(kept(201)).toBe('sha256:84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed');
});

test('announcements go by the names under which they are documented', () => {
  expect([takeDecided, bucketEvicted, storeLost, storeRecovered, settlementLost].map(({ name }) => name)).toEqual([
    'holdfast:ratelimit:take-decided',
    'holdfast:ratelimit:bucket-evicted',
    'holdfast:ratelimit:store-lost',
    'holdfast:ratelimit:store-recovered',
    'holdfast:ratelimit:settlement-lost',
  ]);
});

test('every step is announced, those in shadow with what they would have done; looking is not', () => {
  const { limiter } = setUp();
  const heard: Decision[] = [];
  const stop = takeDecided.subscribe(({ decision }) => heard.push(decision));
  const takes = [{ policy: gcra({ name: 's', limit: 1, shadow: true }), key: 'k' }];
  const made = [limiter.take(takes), limiter.take(takes)];
  limiter.peek(takes);
  stop();
  limiter.take(takes);
  expect(heard).toEqual(made);
  expect(heard.map(({ allowed, buckets }) => [allowed, buckets[0]!.refused])).toEqual([
    [true, false],
    [true, true],
  ]);
});

test('a refusal as an error names the limit and the wait, and promises none where none helps', () => {
  const { limiter } = setUp();
  const policy = gcra({ name: 'g', limit: 60, unit: 'tokens' });
  limiter.take([{ policy, key: 'k', cost: 60 }]);
  const error = refusalError(limiter.take([{ policy, key: 'k', cost: 3 }]));
  expect(error).toMatchObject({ code: 'rate_limited', status: 429, retryAfterSeconds: 3, details: { limit: 'g', unit: 'tokens' } });
  expect(error.message).toBe('refused by gcra:g');
  expect(errorTraits('rate_limited').retryable).toBe(true);
  const never = refusalError(limiter.take([{ policy, key: 'k', cost: 61 }]));
  expect([never.retryable, error.retryable]).toEqual([false, true]);
  expect([never.retryAfterSeconds, never.details]).toEqual([undefined, { limit: 'g', unit: 'tokens', too_large_for_any_wait: true }]);
  // Of a driver of your own that refuses and names nobody.
  const nobody = refusalError({ binding: undefined, retryAfterMs: 1 } as Decision);
  expect([nobody.message, nobody.details, nobody.retryAfterSeconds]).toEqual(['refused by no bucket', undefined, 1]);
});

describe('policies', () => {
  const name = 'letters, digits, ".", "_" and "-", up to 64';
  const number = 'a whole number of 1 or more';
  const slots = 'a whole number from 1 to 60 (and to windowMs)';
  test.each([
    [`limit must be ${number}, not 0`, () => gcra({ name: 'p', limit: 0, burst: 1 })],
    [`limit must be ${number}, not 1.67`, () => gcra({ name: 'p', limit: 1.67, burst: 1 })],
    [`limit must be ${number}, not Infinity`, () => gcra({ name: 'p', limit: Number.POSITIVE_INFINITY, burst: 1 })],
    [`limit must be ${number}, not "5"`, () => gcra({ name: 'p', limit: '5' as unknown as number, burst: 1 })],
    [`burst must be ${number}, not -1`, () => gcra({ name: 'p', limit: 1, burst: -1 })],
    [
      'burst must be so small that burst × 86399999 can be counted exactly (choose a rounder limit or a shorter period), not 999999999989',
      () => gcra({ name: 'p', limit: 999_999_999_989, periodMs: 86_399_999 }),
    ],
    [
      'burst must be so small that burst × 86399999 can be counted exactly (choose a rounder limit or a shorter period), not 60000000',
      () => gcra({ name: 'p', limit: 999_999_999_989, periodMs: 86_399_999, burst: 60_000_000 }),
    ],
    [`periodMs must be ${number}, not NaN`, () => gcra({ name: 'p', limit: 1, periodMs: Number.NaN })],
    [`limit must be ${number}, not 0`, () => slidingWindow({ name: 'p', limit: 0, windowMs: 1_000 })],
    [`limit must be ${number}, not 1000000000000000`, () => slidingWindow({ name: 'p', limit: 10 ** 15, windowMs: 1_000 })],
    [`windowMs must be ${number}, not 59.5; slots must be ${slots}, not 60`, () => slidingWindow({ name: 'p', limit: 1, windowMs: 59.5 })],
    ['windowMs must be at most 31 days, not 2678400001', () => slidingWindow({ name: 'p', limit: 1, windowMs: 31 * 86_400_000 + 1 })],
    [`slots must be ${slots}, not 61`, () => slidingWindow({ name: 'p', limit: 1, windowMs: 1_000, slots: 61 })],
    [`slots must be ${slots}, not 0`, () => slidingWindow({ name: 'p', limit: 1, windowMs: 1_000, slots: 0 })],
    [`slots must be ${slots}, not 1.5`, () => slidingWindow({ name: 'p', limit: 1, windowMs: 1_000, slots: 1.5 })],
    [`slots must be ${slots}, not 60`, () => slidingWindow({ name: 'p', limit: 1, windowMs: 59 })],
    [`limit must be ${number}, not 0`, () => concurrency({ name: 'p', limit: 0 })],
    [`leaseMs must be ${number}, not 0`, () => concurrency({ name: 'p', limit: 1, leaseMs: 0 })],
    [`retryAfterMs must be ${number}, not 0.5`, () => concurrency({ name: 'p', limit: 1, retryAfterMs: 0.5 })],
  ])('with a fault are refused when they are made: %s', (fault, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'configuration_invalid', message: `the limit p cannot be set so: ${fault}` }));
  });

  test.each(['a b', '', 'a"b', '-a', 'x'.repeat(65), undefined, null, 7])('are not called %j', (unfit) => {
    const text = typeof unfit === 'string' ? JSON.stringify(unfit) : String(unfit);
    expect(() => gcra({ name: unfit as string, limit: 1 })).toThrow(`name must be ${name}, not ${text}`);
  });

  test('go up to their bounds', () => {
    expect(gcra({ name: 'x'.repeat(64), limit: 1 }).name).toHaveLength(64);
    expect(slidingWindow({ name: 'w', limit: 999_999_999_999_999, windowMs: 31 * 86_400_000 }).slots).toBe(60);
    expect(slidingWindow({ name: 'w', limit: 1, windowMs: 60 }).windowMs).toBe(60);
    expect(slidingWindow({ name: 'w', limit: 1, windowMs: 1, slots: 1 }).slots).toBe(1);
  });

  test('say every fault at once', () => {
    expect(() => gcra({ name: '"', limit: 0, periodMs: 0 })).toThrow(/name .*; limit .*; periodMs /);
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(gcra({ name: 'g', limit: 1 }))).toBe(true);
    expect(Object.isFrozen(limitTiers) && Object.values(limitTiers).every(Object.isFrozen)).toBe(true);
  });
});

describe('tiers', () => {
  const admitted = (tier: LimitTierName, calls: number): number => {
    const { limiter } = setUp();
    const takes = tierPolicies('organization', limitTiers[tier]).requests.map((policy) => ({ policy, key: 'o' }));
    let count = 0;
    for (let call = 0; call < calls; call++) if (limiter.take(takes).allowed) count++;
    return count;
  };

  test.each([
    ['basic', 30],
    ['pro', 100],
    ['enterprise', 500],
  ] as const)('%s lets %i through in a minute', (tier, limit) => {
    expect(admitted(tier, limit + 50)).toBe(limit);
  });

  test.each([
    ['basic', 900],
    ['pro', 3_000],
    ['enterprise', 15_000],
  ] as const)('%s lets %i through in an hour', (tier, limit) => {
    const { clock, limiter } = setUp();
    const takes = tierPolicies('organization', limitTiers[tier]).requests.map((policy) => ({ policy, key: 'o' }));
    let count = 0;
    for (let minute = 0; minute < 58; minute++) {
      while (limiter.take(takes).allowed) count++;
      clock.advance(62_000);
    }
    expect(count).toBe(limit);
  });

  test('unlimited refuses nothing and counts', () => {
    expect(admitted('unlimited', 5_000)).toBe(5_000);
    expect(tierPolicies('organization', limitTiers.unlimited).requests.map(({ limit }) => limit)).toEqual([Number.POSITIVE_INFINITY]);
  });

  test('with a burst the minute flows evenly', () => {
    const { clock, limiter } = setUp();
    const [policy] = tierPolicies('ip', limitLevels.ip).requests;
    const all = () => {
      let count = 0;
      while (limiter.take([{ policy: policy!, key: 'a' }]).allowed) count++;
      return count;
    };
    expect(all()).toBe(10);
    clock.advance(6_000);
    expect(all()).toBe(10);
    clock.advance(600);
    expect(all()).toBe(1);
  });

  test('are these where nothing else is set', () => {
    expect([limitTiers, limitLevels]).toEqual([
      {
        basic: { requestsPerMinute: 30, requestsPerHour: 900 },
        pro: { requestsPerMinute: 100, requestsPerHour: 3_000 },
        enterprise: { requestsPerMinute: 500, requestsPerHour: 15_000 },
        unlimited: {},
      },
      { global: { requestsPerMinute: 1_000, burst: 10 }, ip: { requestsPerMinute: 100, burst: 10 } },
    ]);
  });

  test('limit what they name: an hour alone has no minute, a burst without a rate limits nothing', () => {
    const limits = (tier: LimitTier) => tierPolicies('key', tier).requests.map(({ id, limit }) => [id, limit]);
    expect(limits({ requestsPerHour: 9 })).toEqual([['window:key-hour:3600000:60', 9]]);
    expect(limits({ burst: 5 })).toEqual([['window:key-minute:60000:60', Number.POSITIVE_INFINITY]]);
    expect(limits({ requestsPerMinute: 5, requestsPerHour: 9, burst: 2 })).toEqual([
      ['gcra:key-minute', 5],
      ['window:key-hour:3600000:60', 9],
    ]);
    expect(tierPolicies('key', { tokensPerMinute: 100 }).tokens?.unit).toBe('tokens');
  });

  test('have tokens and places when they are asked for, each under its own name', () => {
    const { requests, tokens } = tierPolicies('key', { requestsPerMinute: 5, tokensPerMinute: 9_000, concurrent: 2 }, { shadow: true });
    expect([...requests, tokens!].map(({ id, limit, shadow }) => [id, limit, shadow])).toEqual([
      ['window:key-minute:60000:60', 5, true],
      ['concurrency:key-concurrent', 2, true],
      ['gcra:key-tokens', 9_000, true],
    ]);
  });
});

describe('of two decisions about one request', () => {
  const tokens = gcra({ name: 't', limit: 1_000, unit: 'tokens' });
  const requests = slidingWindow({ name: 'r', limit: 100, windowMs: 60_000 });

  test('the one with room for fewer more such calls is told', () => {
    const { limiter } = setUp();
    const many = limiter.take([{ policy: requests, key: 'k' }]);
    const few = limiter.take([{ policy: tokens, key: 'k', cost: 300 }]);
    expect([tighterDecision(many, few), tighterDecision(few, many)]).toEqual([few, few]);
    const unlimited = limiter.take([{ policy: slidingWindow({ name: 'u', limit: Infinity, windowMs: 60_000 }), key: 'k' }]);
    expect([tighterDecision(unlimited, many), tighterDecision(many, unlimited)]).toEqual([many, many]);
  });

  test('a refusal is told before room, and the longer wait before the shorter', () => {
    const { limiter } = setUp();
    const allowed = limiter.take([{ policy: tokens, key: 'k', cost: 1_000 }]);
    const short = limiter.take([{ policy: tokens, key: 'k', cost: 1 }]);
    const long = limiter.take([{ policy: tokens, key: 'k', cost: 900 }]);
    expect([tighterDecision(allowed, short), tighterDecision(short, allowed)]).toEqual([short, short]);
    expect([tighterDecision(long, short), tighterDecision(short, long)]).toEqual([long, long]);
  });
});

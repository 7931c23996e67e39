import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import {
  concurrency,
  createMemoryDriver,
  createRateLimiter,
  gcra,
  slidingWindow,
  tighterDecision,
  type Decision,
  type LimitPolicy,
  type SyncRateLimitDriver,
} from './index.ts';

/** A driver that notes what it is asked beyond taking: each is a round trip where the store is shared. */
function setUp() {
  const driver = createMemoryDriver({ clock: createFakeClock() });
  const asked: string[] = [];
  const noting: SyncRateLimitDriver = {
    take: (takes) => driver.take(takes),
    peek: (takes) => driver.peek(takes),
    settle(settlements) {
      asked.push(`settle ${settlements.map(({ bucket, actual }) => `${bucket.policy.name}=${actual}`).join(' ')}`);
      driver.settle(settlements);
    },
    renew(leases) {
      asked.push(`renew ${leases.map(({ policy }) => policy.name).join(' ')}`);
      return driver.renew(leases);
    },
    list: (options) => driver.list(options),
    close: () => driver.close(),
  };
  return { asked, limiter: createRateLimiter({ driver: noting }) };
}

const requests = gcra({ name: 'requests', limit: 100 });
const tokens = gcra({ name: 'tokens', limit: 1_000, unit: 'tokens' });
const places = concurrency({ name: 'places', limit: 2 });
const levels = (...policies: LimitPolicy[]) =>
  policies.map((policy) => (policy === tokens ? { policy, key: 'k', cost: 600 } : { policy, key: 'k' }));

describe('the driver is asked for what there is to do, once', () => {
  test('finishing settles tokens and releases places in one step', () => {
    const { asked, limiter } = setUp();
    const call = limiter.take(levels(requests, tokens, places));
    call.finish(70);
    call.finish(80);
    call.settle(90);
    call.release();
    expect(asked).toEqual(['settle tokens=70 places=0']);
  });

  test.each<[string, (call: Decision) => void, string[]]>([
    [
      'settling first',
      (call) => (call.settle(70), call.settle(1), call.release(), call.release()),
      ['settle tokens=70', 'settle places=0'],
    ],
    [
      'releasing first',
      (call) => (call.release(), call.release(), call.settle(70), call.settle(1)),
      ['settle places=0', 'settle tokens=70'],
    ],
    ['settling, then finishing', (call) => (call.settle(70), call.finish(1)), ['settle tokens=70', 'settle places=0']],
    ['releasing, then finishing', (call) => (call.release(), call.finish(70)), ['settle places=0', 'settle tokens=70']],
    ['settling what was reserved, which is no more outstanding', (call) => call.settle(600), ['settle tokens=600']],
  ])('%s', (_name, end, expected) => {
    const { asked, limiter } = setUp();
    end(limiter.take(levels(requests, tokens, places)));
    expect(asked).toEqual(expected);
  });

  test('nothing, where nothing was taken that could be given back', () => {
    const { asked, limiter } = setUp();
    const counted = limiter.take(levels(requests));
    counted.finish(0);
    counted.release();
    expect(counted.renew()).toBe(false);
    limiter.take(levels(places));
    limiter.take(levels(places));
    const refused = limiter.take(levels(requests, tokens, places));
    expect(refused.allowed).toBe(false);
    refused.finish(5);
    expect(refused.renew()).toBe(false);
    const looked = limiter.peek(levels(requests, tokens, concurrency({ name: 'others', limit: 1 })));
    looked.finish(5);
    expect(looked.renew()).toBe(false);
    expect(asked).toEqual([]);
  });

  test('to renew leases, and no more after their release', () => {
    const { asked, limiter } = setUp();
    const call = limiter.take(levels(requests, tokens, places));
    expect(call.renew()).toBe(true);
    call.settle(5);
    expect(call.renew()).toBe(true);
    call.release();
    expect(call.renew()).toBe(false);
    expect(asked).toEqual(['renew places', 'settle tokens=5', 'renew places', 'settle places=0']);
  });
});

describe('the bucket that binds', () => {
  const shadow = gcra({ name: 'shadow', limit: 1, periodMs: 900_000, shadow: true });
  const short = gcra({ name: 'short', limit: 1, periodMs: 1_000 });
  const long = gcra({ name: 'long', limit: 1, periodMs: 9_000 });
  const binding = (...policies: LimitPolicy[]) => {
    const { limiter } = setUp();
    const refused = [limiter.take(levels(...policies)), limiter.take(levels(...policies))][1]!;
    return [refused.binding?.policy.name, refused.retryAfterMs];
  };

  test('is never one in shadow, though the wait for it would be longer', () => {
    expect([binding(shadow, short), binding(short, shadow)]).toEqual([
      ['short', 1_000],
      ['short', 1_000],
    ]);
  });

  test('is the one with the longest wait, wherever it stands; of equal ones the first', () => {
    const same = gcra({ name: 'same', limit: 1, periodMs: 9_000 });
    expect([binding(short, long), binding(long, short), binding(long, same), binding(same, long)]).toEqual([
      ['long', 9_000],
      ['long', 9_000],
      ['long', 9_000],
      ['same', 9_000],
    ]);
  });

  test('is of those that are as tight the one that resets last; of equal ones the first', () => {
    const { limiter } = setUp();
    const [minute, hour, again] = [
      ['minute', 60_000],
      ['hour', 3_600_000],
      ['again', 3_600_000],
    ].map(([name, windowMs]) => slidingWindow({ name: name as string, limit: 10, windowMs: windowMs as number }));
    expect(limiter.take(levels(hour!, minute!, again!)).binding?.policy).toBe(hour);
    const loose = slidingWindow({ name: 'loose', limit: 1_000, windowMs: 86_400_000 });
    expect(limiter.take([minute!, loose].map((policy) => ({ policy, key: 'j' }))).binding?.policy).toBe(minute);
  });
});

test('of two decisions that are as tight the first is told', () => {
  const { limiter } = setUp();
  const one = (name: string, cost = 1) => limiter.take([{ policy: gcra({ name, limit: 10 }), key: 'k', cost }]);
  const [a, b] = [one('a'), one('b')];
  expect([tighterDecision(a, b), tighterDecision(b, a)]).toEqual([a, b]);
  const refused = [one('a', 10), one('b', 10)] as const;
  expect(refused.map(({ allowed, retryAfterMs }) => [allowed, retryAfterMs])).toEqual([
    [false, 6_000],
    [false, 6_000],
  ]);
  expect(tighterDecision(...refused)).toBe(refused[0]);
  expect(tighterDecision(refused[1], refused[0])).toBe(refused[1]);
  const [nothing, neither] = [limiter.take([]), limiter.take([])];
  expect([tighterDecision(nothing, a), tighterDecision(a, nothing)]).toEqual([a, a]);
  expect(tighterDecision(nothing, neither)).toBe(neither);
});

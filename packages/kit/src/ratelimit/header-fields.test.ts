import fc from 'fast-check';
import { parseList, type Item } from 'structured-headers';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import { concurrency, createMemoryDriver, createRateLimiter, gcra, headerFields, slidingWindow, type LimitPolicy } from './index.ts';

const nowMs = Date.UTC(2026, 0, 1);
const limiterAt = () => createRateLimiter({ driver: createMemoryDriver({ clock: createFakeClock({ nowMs }) }) });

describe('header fields', () => {
  test('of an answer that was let through', () => {
    const policy = slidingWindow({ name: 'organization-minute', limit: 30, windowMs: 60_000 });
    expect(headerFields(limiterAt().take([{ policy, key: 'o', cost: 4 }]))).toEqual({
      'x-ratelimit-limit': '30',
      'x-ratelimit-remaining': '26',
      'x-ratelimit-reset': String(nowMs / 1000 + 61),
      'ratelimit-policy': '"organization-minute";q=30;w=60',
      ratelimit: '"organization-minute";r=26;t=61',
    });
  });

  test('of a flow: its burst, and the time in which that comes back', () => {
    const policy = gcra({ name: 'flow', limit: 7, periodMs: 10_000, burst: 14 });
    const limiter = limiterAt();
    const takes = [{ policy, key: 'o', cost: 4 }];
    for (const [remaining, resetSeconds] of [
      [10, 6],
      [6, 12],
    ] as const) {
      expect(headerFields(limiter.take(takes))).toEqual({
        'x-ratelimit-limit': '14',
        'x-ratelimit-remaining': String(remaining),
        'x-ratelimit-reset': String(nowMs / 1000 + resetSeconds),
        'ratelimit-policy': '"flow";q=14;w=20',
        ratelimit: `"flow";r=${remaining};t=${resetSeconds}`,
      });
    }
  });

  test('of a refusal: the one to wait for longest', () => {
    const limiter = limiterAt();
    const ip = gcra({ name: 'ip', limit: 100, burst: 10 });
    const tokens = gcra({ name: 'tokens', limit: 60, unit: 'tokens' });
    const takes = [
      { policy: ip, key: 'a' },
      { policy: tokens, key: 'o', cost: 6 },
    ];
    for (let call = 0; call < 10; call++) expect(limiter.take(takes).allowed).toBe(true);
    expect(headerFields(limiter.take(takes))).toEqual({
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(nowMs / 1000 + 60),
      'ratelimit-policy': '"tokens";q=60;qu="tokens";w=60',
      ratelimit: '"tokens";r=0;t=60',
      'retry-after': '6',
    });
    expect(headerFields(limiter.take(takes.slice(0, 1)))).toMatchObject({
      'ratelimit-policy': '"ip";q=10;w=6',
      ratelimit: '"ip";r=0;t=6',
      'retry-after': '1',
    });
  });

  test('of a concurrency limit only when it refuses, and without a time that nobody knows', () => {
    const limiter = limiterAt();
    const policy = concurrency({ name: 'places', limit: 1, retryAfterMs: 1_500 });
    expect(headerFields(limiter.take([{ policy, key: 'k' }]))).toEqual({});
    expect(headerFields(limiter.take([{ policy, key: 'k' }]))).toEqual({
      'x-ratelimit-limit': '1',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(nowMs / 1000),
      'ratelimit-policy': '"places";q=1;qu="concurrent-requests"',
      ratelimit: '"places";r=0',
      'retry-after': '2',
    });
  });

  test('promise no wait where none helps, and are absent without a limit', () => {
    const limiter = limiterAt();
    const refused = limiter.take([{ policy: gcra({ name: 'g', limit: 5 }), key: 'k', cost: 6 }]);
    expect(headerFields(refused)['retry-after']).toBeUndefined();
    const counted = slidingWindow({ name: 'w', limit: Number.POSITIVE_INFINITY, windowMs: 60_000 });
    const shadow = gcra({ name: 's', limit: 1, shadow: true });
    expect(
      headerFields(
        limiter.take([
          { policy: counted, key: 'k' },
          { policy: shadow, key: 'k' },
        ]),
      ),
    ).toEqual({});
  });

  test('are structured fields, as RFC 9651 and draft 11 want them, for any limit', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/);
    const limit = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 10_000_000 }));
    const policies: fc.Arbitrary<LimitPolicy> = fc.oneof(
      fc
        .record({
          name,
          limit,
          burst: fc.integer({ min: 1, max: 10_000 }),
          periodMs: fc.integer({ min: 1, max: 3_600_000 }),
          unit: fc.constantFrom('requests', 'tokens'),
        })
        .map((options) => gcra(options)),
      fc
        .record({ name, limit: fc.oneof(limit, fc.constant(999_999_999_999_999)), windowMs: fc.integer({ min: 60, max: 86_400_000 }) })
        .map((options) => slidingWindow(options)),
      fc.record({ name, limit }).map((options) => concurrency(options)),
    );
    fc.assert(
      fc.property(policies, fc.nat(5_000), (policy, cost) => {
        const decision = limiterAt().take([policy.kind === 'concurrency' ? { policy, key: 'k' } : { policy, key: 'k', cost }]);
        const fields = headerFields(decision);
        fc.pre(decision.binding !== undefined);
        const [[value, limits]] = parseList(fields['ratelimit-policy']!) as [Item];
        const [[same, state]] = parseList(fields['ratelimit']!) as [Item];
        expect([value, same]).toEqual([policy.name, policy.name]);
        const [q, w, qu] = [limits.get('q') as number, limits.get('w') as number | undefined, limits.get('qu')];
        const [r, t] = [state.get('r') as number, state.get('t') as number];
        expect([q, w ?? 1, r, t].map(Number.isSafeInteger)).toEqual([true, true, true, true]);
        expect([q > 0, (w ?? 1) > 0, r >= 0 && r <= q, t >= 0]).toEqual([true, true, true, true]);
        // A window of a second or less still counts a slot longer than it is.
        expect(t).toBeLessThanOrEqual((w ?? 0) + (policy.kind === 'window' ? Math.ceil(policy.windowMs / policy.slots / 1000) : 0));
        expect(qu).toBe(policy.unit === 'requests' ? undefined : policy.unit);
        expect(fields['x-ratelimit-remaining']).toBe(String(r));
        expect(fields['x-ratelimit-limit']).toBe(String(q));
        for (const text of Object.values(fields)) expect(text).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});

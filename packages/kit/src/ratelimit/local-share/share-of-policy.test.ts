import { expect, test } from 'vitest';
import { concurrency, gcra, slidingWindow } from '../index.ts';
import { shareOfPolicy } from './share-of-policy.ts';

test('of one instance is the policy itself', () => {
  const policy = gcra({ name: 'g', limit: 10 });
  expect(shareOfPolicy(policy, 1)).toBe(policy);
});

test.each(['requests', 'tokens'] as const)('keeps everything but the numbers: %s', (unit) => {
  for (const shadow of [false, true]) {
    expect(shareOfPolicy(gcra({ name: 'g', limit: 100, periodMs: 1_000, burst: 7, unit, shadow }), 3)).toEqual(
      gcra({ name: 'g', limit: 100, periodMs: 3_000, burst: 2, unit, shadow }),
    );
    expect(shareOfPolicy(slidingWindow({ name: 'w', limit: 100, windowMs: 5_000, slots: 5, unit, shadow }), 3)).toEqual(
      slidingWindow({ name: 'w', limit: 33, windowMs: 5_000, slots: 5, unit, shadow }),
    );
    expect(shareOfPolicy(concurrency({ name: 'c', limit: 2, leaseMs: 9_000, retryAfterMs: 50, shadow }), 3)).toEqual(
      concurrency({ name: 'c', limit: 1, leaseMs: 9_000, retryAfterMs: 50, shadow }),
    );
  }
});

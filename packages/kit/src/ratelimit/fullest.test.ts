import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ListedBucket } from './driver.ts';
import { fullest } from './fullest.ts';

const bucket = (policy: string, key: string, used: number, capacity = 10): ListedBucket => ({
  policy,
  kind: 'gcra',
  key,
  used,
  capacity,
  resetAfterMs: 1,
});
const names = (buckets: readonly ListedBucket[]) => buckets.map(({ policy, key }) => `${policy}/${key}`);

describe('the fullest', () => {
  test('come first by the part of their limit that is used; of equal ones in order of policy, then of key', () => {
    const all = [
      bucket('b', 'x', 8),
      bucket('a', 'y', 8),
      bucket('a', 'x', 80, 100),
      bucket('b', 'a', 8),
      bucket('z', 'z', 3, 3),
      bucket('a', 'n', 70, 100),
    ];
    const expected = ['z/z', 'a/x', 'a/y', 'b/a', 'b/x', 'a/n'];
    expect(names(fullest(all))).toEqual(expected);
    expect(names(fullest(all.toReversed()))).toEqual(expected);
  });

  test('are half full at least, and of the policy that was asked for', () => {
    const all = [bucket('a', 'half', 5), bucket('a', 'less', 49, 100), bucket('b', 'full', 10)];
    expect(names(fullest(all))).toEqual(['b/full', 'a/half']);
    expect(names(fullest(all, { policy: 'a' }))).toEqual(['a/half']);
  });

  test.each([
    [undefined, 20],
    [0, 1],
    [-5, 1],
    [2.9, 2],
    [1_000, 1_000],
    [1_001, 1_000],
  ])('are for a limit of %s so many: %i', (limit, count) => {
    const all = Array.from({ length: 2_000 }, (_, at) => bucket('p', `${at}`, 9));
    expect(fullest(all, limit === undefined ? {} : { limit })).toHaveLength(count);
  });

  test('are the same as of a list that is sorted whole', () => {
    const buckets = fc.array(
      fc
        .record({ policy: fc.constantFrom('a', 'b', 'c'), used: fc.integer({ min: 0, max: 12 }) })
        .map(({ policy, used }) => bucket(policy, '', used, 12)),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(buckets, fc.integer({ min: 1, max: 5 }), (some, limit) => {
        const all = some.map((one, at) => ({ ...one, key: String.fromCodePoint(0x41 + ((at * 31) % 60)) }));
        expect(names(fullest(all, { limit }))).toEqual(names(fullest(all, { limit: 1_000 })).slice(0, limit));
      }),
    );
  });
});

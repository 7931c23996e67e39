import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minConnections, poolShares } from './pool-shares.ts';
import { databaseRoles } from './roles.ts';

test('with any ceiling every role has a connection, and all pools with the listening connection stay below it', () => {
  fc.assert(
    fc.property(fc.integer({ min: minConnections, max: 10_000 }), (maxConnections) => {
      const shares = poolShares(maxConnections);
      for (const role of databaseRoles) expect(shares[role]).toBeGreaterThanOrEqual(1);
      const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
      expect(total + 1).toBeLessThanOrEqual(maxConnections);
    }),
  );
});

test('under the smallest ceiling the writer still has a connection beside the one that the ledger keeps', () => {
  expect(poolShares(minConnections).writer).toBe(2);
});

test('a larger ceiling never makes a pool smaller', () => {
  fc.assert(
    fc.property(fc.integer({ min: minConnections, max: 1_000 }), (maxConnections) => {
      const [before, after] = [poolShares(maxConnections), poolShares(maxConnections + 1)];
      for (const role of databaseRoles) expect(after[role]).toBeGreaterThanOrEqual(before[role]);
    }),
  );
});

test.each([0, 8, -1, 8.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'a ceiling of %s is refused with the least that works',
  (maxConnections) => {
    expect(() => poolShares(maxConnections)).toThrow(
      expect.objectContaining({ code: 'configuration_invalid', details: [expect.stringContaining('at least 9')] }),
    );
  },
);

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ban } from './ban.ts';
import { listBans } from './list-bans.ts';

const ban = fc.record({ at: fc.nat(20), address: fc.nat(40) }).map(({ at, address }): Ban => ({
  range: `203.0.113.${address}`,
  ...{ reason: 'manual', source: 'manual', bannedAtMs: at, endsAtMs: null, repeats: 0, by: null, note: null },
}));

test('pages come to all bans, each once and in order, whatever the order in which they are kept', () => {
  fc.assert(
    fc.property(fc.uniqueArray(ban, { selector: ({ range }) => range, maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (bans, limit) => {
      const pages: Ban[] = [];
      let cursor: string | undefined;
      do {
        const page = listBans(bans, { limit, ...(cursor !== undefined && { cursor }) });
        expect(page.bans.length).toBeLessThanOrEqual(limit);
        pages.push(...page.bans);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      const sorted = bans.toSorted((one, other) => other.bannedAtMs - one.bannedAtMs || (one.range < other.range ? -1 : 1));
      expect(pages).toEqual(sorted);
    }),
  );
});

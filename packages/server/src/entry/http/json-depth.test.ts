import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonDepthExceeds } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('finds the depth that a parser would find, whatever the strings hold', () => {
  // Long strings of quotes and backslashes reach both ways of skipping a string.
  const nasty = fc.string({ unit: fc.constantFrom('"', '\\', '{', '[', ']', '}', 'a', 'ü', '\n'), maxLength: 200 });
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      nasty,
      fc.integer(),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(nasty, tie('node'), { maxKeys: 3 }),
    ),
  })).node;
  fc.assert(
    fc.property(value, fc.boolean(), (json, pretty) => {
      const bytes = Buffer.from(JSON.stringify(json, null, pretty ? 2 : undefined));
      const depth = depthOf(json);
      expect(jsonDepthExceeds(bytes, depth)).toBe(false);
      if (depth > 0) expect(jsonDepthExceeds(bytes, depth - 1)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('stops at the first level too many, however long the text is', () => {
  expect(jsonDepthExceeds(Buffer.from('['.repeat(5_000_000)), 64)).toBe(true);
});

test('an unfinished string is not deep', () => {
  expect(jsonDepthExceeds(Buffer.from(`"${'\\"[['.repeat(100)}`), 0)).toBe(false);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countPieces, firstPieces, splitPieces } from './pieces.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.lorem({ maxCount: 30 }),
);

test('joined, the pieces are the text, whatever the text', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const pieces = splitPieces(text);
      expect(pieces.join('')).toBe(text);
      expect(countPieces(text)).toBe(pieces.length);
      for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(16);
    }),
  );
});

test('no piece cuts a letter of two code units in half', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      for (const piece of splitPieces(text)) expect(piece.isWellFormed()).toBe(true);
    }),
  );
});

test('the first pieces of a text are those of the whole', () => {
  fc.assert(
    fc.property(anyText, fc.nat(50), (text, most) => void expect(firstPieces(text, most)).toEqual(splitPieces(text).slice(0, most))),
  );
});

test('English comes out at 1.2 to 1.5 pieces a word', () => {
  const text =
    'The committee will meet on Tuesday to discuss the proposal, which several members consider insufficient. Please send your remarks beforehand, and bring a printed copy of the agenda with you.';
  const perWord = splitPieces(text).length / text.split(' ').length;
  expect(perWord).toBeGreaterThan(1.2);
  expect(perWord).toBeLessThan(1.5);
});

test('a long text is counted in proportion to its beginning', () => {
  const counted = countPieces('word '.repeat(1_000_000));
  expect(Math.abs(counted - 1_000_000)).toBeLessThan(10_000);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactBody, parseExact, parseObject } from './index.ts';

test('integers of any length are written as they came', () => {
  const text = '{"a":12345678901234567890,"b":[-99999999999999999999,9007199254740993],"c":"12345678901234567890"}';
  expect(JSON.stringify(parseExact(text))).toBe(text);
});

test('what is exact stays a number', () => {
  expect(parseExact('[9007199254740991, 1.1234567890123456789, 1e30, "12345678901234567"]')).toEqual([
    9007199254740991,
    1.1234567890123457,
    1e30,
    '12345678901234567',
  ]);
});

test('any JSON means the same as JSON.parse says', () => {
  // The long string beside it makes the careful way be taken.
  const both = fc.tuple(fc.json(), fc.constantFrom('"x"', '"1234567890123456"')).map(([text, beside]) => `[${text},${beside}]`);
  fc.assert(
    fc.property(both, (text) => {
      expect(JSON.stringify(parseExact(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('only objects are objects, and no text is the empty one', () => {
  expect(['', ' \n', '{}', '[]', '"x"', '1', 'null', '{', '{"a":1}x'].map(parseObject)).toEqual([
    {},
    {},
    {},
    ...Array.from({ length: 6 }, () => undefined),
  ]);
});

test('an object may nest 64 levels, whatever its strings hold', () => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{"b":"${'[{\\"'.repeat(100)}"}${'}'.repeat(depth - 1)}`;
  expect(parseObject(nested(64))).toBeDefined();
  expect(parseObject(nested(65))).toBeUndefined();
});

test('a body is parsed again only for the sake of long integers', () => {
  const value = { a: 1 };
  expect(exactBody(Buffer.from('{"a":1}'), value)).toBe(value);
  expect(JSON.stringify(exactBody(Buffer.from('{"ä":12345678901234567890}'), value))).toBe('{"ä":12345678901234567890}');
});

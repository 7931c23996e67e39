import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, type CanonicalValue } from './canonical-json.ts';

test('sorts names as RFC 8785 does, by UTF-16 code units', () => {
  // The RFC's own example (section 3.2.3), its values left out.
  const names = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
  expect(canonicalJson(names)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
});

test('writes strings as RFC 8785 does', () => {
  expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
});

test('leaves out what is undefined, and nothing else', () => {
  expect(canonicalJson({ b: undefined, a: null, c: [], d: {}, e: false, f: 0, g: '' })).toBe(
    '{"a":null,"c":[],"d":{},"e":false,"f":0,"g":""}',
  );
});

const values: fc.Arbitrary<CanonicalValue> = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
    fc.maxSafeInteger().map((number) => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((text) => text.isWellFormed()),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value;

test('says the same as JSON, and the same for whatever order the members came in', () => {
  fc.assert(
    fc.property(values, (value) => {
      const json = canonicalJson(value);
      expect(JSON.parse(json)).toEqual(value);
      const reversed = (part: CanonicalValue): CanonicalValue =>
        Array.isArray(part)
          ? part.map(reversed)
          : part !== null && typeof part === 'object'
            ? Object.fromEntries(
                Object.entries(part as Record<string, CanonicalValue>)
                  .reverse()
                  .map(([name, member]) => [name, reversed(member)]),
              )
            : part;
      expect(canonicalJson(reversed(value))).toBe(json);
      expect(canonicalJson(JSON.parse(json) as CanonicalValue)).toBe(json);
    }),
  );
});

test.each([
  ['a fraction', 0.5],
  ['a number that is not counted exactly', 2 ** 53],
  ['minus zero', -0],
  ['no number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['half of a surrogate pair', '\ud800'],
  ['half of one in a name', { '\ud800': 1 }],
  ['undefined', undefined],
  ['a function', () => 1],
  ['a bigint', 1n],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['undefined in a list', [undefined]],
])('refuses %s', (_name, value) => {
  expect(() => canonicalJson(value as CanonicalValue)).toThrow(TypeError);
});

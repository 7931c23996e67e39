import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, isCanonicalText, type CanonicalValue } from './canonical-json.ts';

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

test('a text is called canonical only when it is what would be written of what it says', () => {
  const strings = fc.string({ unit: 'binary', maxLength: 8 });
  const anything = fc.anything({
    key: fc.oneof(strings, fc.constantFrom('__proto__', 'toJSON', '1', '10', '9')),
    values: [strings, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(-0), fc.constant(2 ** 53)],
  });
  let canonical = 0;
  fc.assert(
    fc.property(anything, fc.nat(3), (given, indent) => {
      const text = JSON.stringify(given, undefined, indent) ?? 'null';
      const value = JSON.parse(text) as CanonicalValue;
      if (!isCanonicalText(value, text)) return;
      canonical++;
      expect(canonicalJson(value)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
  expect(canonical).toBeGreaterThan(100);
  fc.assert(
    fc.property(values, (value) => {
      const json = canonicalJson(value);
      // Names that are numbers are the engine's to order, and a backslash may stand before what looks like an escape.
      if (!/"\d+":|\\ud/.test(json)) expect(isCanonicalText(JSON.parse(json) as CanonicalValue, json)).toBe(true);
    }),
  );
});

test.each([
  ['blanks', '{"a": 1}'],
  ['another order', '{"b":1,"a":1}'],
  ['another order within', '{"a":[{"d":1,"c":1}]}'],
  ['a name that is there twice', '{"a":1,"a":1}'],
  ['an escape that need not be', '{"a":"\\u0041"}'],
  ['half of a surrogate pair', '{"a":"\\ud800"}'],
  ['a fraction', '{"a":1.5}'],
  ['minus zero', '{"a":-0}'],
  ['a number that is not counted exactly', '{"a":9007199254740992}'],
  ['an exponent', '{"a":1e3}'],
])('a text with %s is not canonical', (_, text) => {
  expect(isCanonicalText(JSON.parse(text) as CanonicalValue, text)).toBe(false);
});

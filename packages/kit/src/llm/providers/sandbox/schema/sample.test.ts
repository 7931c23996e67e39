import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDraw } from '../draw.ts';
import { samplePattern } from './pattern-sample.ts';
import { sampleSchema } from './sample.ts';

const addFormats = addFormatsModule.default;

function faultsOf(schema: object, seed = 0): unknown {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  const value = sampleSchema(schema, createDraw('test', seed));
  return validate(value) ? [] : [value, validate.errors];
}

/** JSON schemas as tools have them: nested objects, lists, enums, bounds and nullable types. */
const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small' },
    fc.record({ minLength: fc.nat(30), maxLength: fc.integer({ min: 30, max: 50 }) }).map((bounds) => ({ type: 'string', ...bounds })),
    fc
      .constantFrom('date-time', 'date', 'time', 'email', 'uuid', 'uri', 'ipv4', 'ipv6', 'hostname', 'duration')
      .map((format) => ({ type: 'string', format })),
    fc
      .tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(1e6))
      .map(([minimum, width]) => ({ type: 'integer', minimum, maximum: minimum + width })),
    fc
      .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-3, max: 1e6, noNaN: true }))
      .map(([low, width]) => ({ type: 'number', exclusiveMinimum: low, exclusiveMaximum: low + width })),
    fc
      .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: -100, max: 100 }))
      .map(([multipleOf, minimum]) => ({ type: 'integer', multipleOf, minimum })),
    fc.constant({ type: 'boolean' }),
    fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 4 }).map((values) => ({ enum: values })),
    fc.jsonValue().map((value) => ({ const: value })),
    tie('schema').map((inner) => ({ anyOf: [inner, { type: 'null' }] })),
    tie('schema').map((inner) => ({
      oneOf: [{ type: 'null' }, { type: 'object', properties: { inner }, required: ['inner'], additionalProperties: false }],
    })),
    fc
      .tuple(tie('schema'), fc.nat(3), fc.nat(2))
      .map(([items, minItems, more]) => ({ type: 'array', items, minItems, maxItems: minItems + more })),
    fc.tuple(fc.dictionary(fc.string({ minLength: 1 }), tie('schema'), { maxKeys: 4 }), fc.boolean()).map(([properties, strict]) => ({
      type: 'object',
      properties,
      ...(strict ? { required: Object.keys(properties) } : {}),
      additionalProperties: false,
    })),
    fc.tuple(tie('schema'), tie('schema')).map(([a, b]) => ({
      allOf: [
        { type: 'object', properties: { a }, required: ['a'] },
        { type: 'object', properties: { b }, required: ['b'] },
      ],
    })),
  ),
})).schema;

describe('a value made from a JSON schema', () => {
  test('fits the schema, whatever the schema', () => {
    fc.assert(
      fc.property(schemas, fc.nat(), (schema, seed) => void expect(faultsOf(schema, seed)).toEqual([])),
      { numRuns: 150 },
    );
  });

  test.each([
    [
      'strict mode with definitions',
      {
        type: 'object',
        properties: { who: { $ref: '#/$defs/person' } },
        required: ['who'],
        $defs: { person: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
      },
    ],
    [
      'a tree that refers to itself',
      {
        $ref: '#/$defs/node',
        $defs: {
          node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } }, required: ['children'] },
        },
      },
    ],
    [
      'a list linked by anyOf',
      {
        type: 'object',
        properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
        required: ['next'],
        additionalProperties: false,
      },
    ],
    ['a nullable list linked by a list of types', { type: ['object', 'null'], properties: { next: { $ref: '#' } }, required: ['next'] }],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false, minItems: 2 }],
    ['unique items', { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true, minItems: 3 }],
    ['a map', { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 3 }],
    [
      'a property called __proto__',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"integer"}},"required":["__proto__"]}') as object,
    ],
    ['bounds narrowed by allOf', { allOf: [{ type: 'integer', minimum: 50 }, { maximum: 51 }, { minimum: 51 }] }],
    ['a date with a pattern of its own', { type: 'string', pattern: '^\\d{4}-(?:0[1-9]|1[0-2])$' }],
    ['a pattern that must be longer', { type: 'string', pattern: '^[a-z]+$', minLength: 12, maxLength: 14 }],
    ['nothing said', {}],
  ])('fits: %s', (_name, schema) => {
    for (let seed = 0; seed < 5; seed++) expect(faultsOf(schema, seed)).toEqual([]);
  });

  test.each([
    ['an object that contains itself', { type: 'object', properties: { self: { $ref: '#' } }, required: ['self'] }],
    ['a reference to itself', { $ref: '#' }],
    ['too many items', { type: 'array', items: { type: 'integer' }, minItems: 1_000_000_000 }],
    ['more unique items than there are values', { type: 'array', items: { type: 'boolean' }, uniqueItems: true, minItems: 3 }],
    ['a forest', { $ref: '#/$defs/n', $defs: { n: { type: 'array', minItems: 9, items: { $ref: '#/$defs/n' } } } }],
    ['an allOf of itself', { allOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['an anyOf of itself', { anyOf: [{ $ref: '#' }] }],
    ['a long text ten thousand times', { type: 'array', minItems: 10_000, items: { type: 'string', minLength: 9_999 } }],
    ['a long constant again and again', { type: 'array', minItems: 5_000, items: { const: { text: 'x'.repeat(1_000) } } }],
    [
      'long lists of names compared again and again',
      { type: 'array', minItems: 5_000, items: { allOf: [1, 2].map(() => ({ enum: Array.from({ length: 5_000 }, (_, at) => at) })) } },
    ],
    ['too many properties', { type: 'object', minProperties: 1e9 }],
  ])('is refused, not made for ever: %s', (_name, schema) => {
    expect(() => sampleSchema(schema, createDraw('test', 0))).toThrowError(expect.objectContaining({ code: 'provider_rejected_request' }));
  });

  test('is the same for the same prompt and seed', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' }, b: { enum: [1, 2, 3, 4, 5] } } };
    expect(sampleSchema(schema, createDraw('p', 1))).toEqual(sampleSchema(schema, createDraw('p', 1)));
  });
});

describe('a text made from a pattern', () => {
  const patterns = [
    '^[A-Z]{3}-\\d{4}$',
    '^(foo|bar)+$',
    '^[^a-zA-Z0-9]$',
    '^\\w+@\\w+\\.[a-z]{2,}$',
    '^(?<year>\\d{4})\\/(?:0[1-9])$',
    '^[\\w.-]*$',
    '^\\u0041\\x42$',
    '^[а-я]{2}$',
    '^\\p{Lu}\\p{L}+$',
    '^a{2,4}?b?$',
    '^[a\\-z]{2}$',
    '^$',
  ];
  test.each(patterns)('matches %s', (pattern) => {
    for (const more of [0, 1, 5]) {
      const text = samplePattern(pattern, more, 1_000);
      expect(text).toBeDefined();
      expect(text).toMatch(new RegExp(pattern, 'u'));
    }
  });

  test('is not attempted where that would be guessing, or endless', () => {
    for (const pattern of [
      '(?=a)b',
      '(a)\\1',
      '[a',
      '(a',
      'a{9999}{9999}',
      `${'('.repeat(100)}a${')'.repeat(100)}`,
      '*',
      '(((a{1000}){1000}){1000})',
    ]) {
      expect(samplePattern(pattern, 0, 1_000)).toBeUndefined();
    }
  });

  test('any text at all is read without an exception of another sort', () => {
    fc.assert(fc.property(fc.string(), fc.nat(100), (pattern, more) => void samplePattern(pattern, more, 1_000)));
  });
});

import fc from 'fast-check';
import { createMasker, findSensitive, mask } from '@holdfast/kit/privacy';
import { describe, expect, test } from 'vitest';
import { createCorpus } from '../../../../bench/privacy/corpus.ts';

const labelled = createCorpus(3, 600).filter(({ labels }) => labels.length > 0);
const secrets = labelled.map(({ text, labels }) => text.slice(labels[0]!.start, labels[0]!.end));
const signs = [
  '@',
  ':',
  '://',
  '=',
  '"',
  '\\',
  '\\n',
  '\n',
  ' ',
  '.',
  '-',
  '+',
  '(',
  ')',
  '[',
  ']',
  '%40',
  '{',
  '}',
  ',',
  '/',
  '_',
  'é',
  '電話',
];
const words = [
  'password',
  'token',
  'tel',
  'order',
  'Bearer',
  'Basic',
  'authorization',
  'Cookie',
  'eyJ',
  'sk-',
  'hf_',
  '-----BEGIN PRIVATE KEY-----',
  '-----END PRIVATE KEY-----',
  '[email]',
  '[secret]',
  'postgres',
  'a.b',
  '10.0.0.1',
  '4111',
  '555',
  '0',
  'DE89',
  'fe80::1',
];
/** Pieces of what is looked for in any order: where detectors meet and cut into each other. */
const tangle = fc
  .array(fc.oneof(fc.constantFrom(...secrets), fc.constantFrom(...signs), fc.constantFrom(...words), fc.string({ maxLength: 6 })), {
    maxLength: 14,
  })
  .map((parts) => parts.join(''));

test('findings are in order, disjoint, inside of the text and not empty', () => {
  fc.assert(
    fc.property(tangle, (text) => {
      let before = 0;
      for (const { start, end, confidence } of findSensitive(text)) {
        expect(start).toBeGreaterThanOrEqual(before);
        expect(end).toBeGreaterThan(start);
        expect(confidence > 0 && confidence <= 1).toBe(true);
        before = end;
      }
      expect(before).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 3_000 },
  );
});

test('masking what is masked changes nothing', () => {
  fc.assert(
    fc.property(tangle, (text) => {
      const masked = mask(text);
      expect(mask(masked)).toBe(masked);
    }),
    { numRuns: 3_000 },
  );
});

test('a planted secret is in no masked text, whatever stands around it', () => {
  const around = fc
    .array(
      fc.constantFrom(
        'the',
        'user',
        'said',
        'and',
        '2024-01-15',
        '12:30:00',
        '{"a":1}',
        'für',
        'v1.2.3',
        '17.5',
        'https://example.com/a?b=1',
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join(' '));
  fc.assert(
    fc.property(
      fc.constantFrom(...labelled),
      around,
      around,
      fc.constantFrom(' ', '\n', '\t', ' | '),
      ({ text, labels }, before, after, gap) => {
        const { start, end } = labels[0]!;
        expect(mask(`${before}${gap}${text}${gap}${after}`)).not.toContain(text.slice(start, end));
      },
    ),
    { numRuns: 3_000 },
  );
});

test('however a stream of lines is cut, the masked text is the same, and that of its lines', () => {
  const lines = fc
    .array(fc.oneof(tangle, fc.constantFrom(...labelled.map(({ text }) => text))), { maxLength: 8 })
    .map((list) => list.join('\n'));
  fc.assert(
    fc.property(lines, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
      const masker = createMasker();
      const whole = masker.lines();
      const expected = whole.push(text) + whole.end();
      const places = [...cuts.map((cut) => cut % (text.length + 1)), 0, text.length].sort((one, other) => one - other);
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
      const cut = masker.lines();
      expect(pieces.map((piece) => cut.push(piece)).join('') + cut.end()).toBe(expected);
      if (!text.includes('PRIVATE KEY')) expect(expected).toBe(text.split('\n').map(mask).join('\n'));
    }),
    { numRuns: 1_000 },
  );
});

test('objects of any kind are copied without a throw and without the secret', () => {
  fc.assert(
    fc.property(
      fc.anything({ withMap: true, withSet: true, withNullPrototype: true, withDate: true, withTypedArray: true, withBigInt: true }),
      fc.constantFrom(...secrets),
      (value, secret) => {
        const copy = createMasker().maskObject({ value, note: `password="${secret.replaceAll('"', '')}"` });
        expect(JSON.stringify(copy, (_key, member) => (typeof member === 'bigint' ? String(member) : member))).not.toContain(
          JSON.stringify(secret).slice(1, -1),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('masked JSON is JSON, with what is no secret as it was', () => {
  const member = fc.oneof(
    tangle,
    fc.constantFrom(4111111111111111, -4111111111111111, 4.1e30, 123456789, true, null),
    fc.array(tangle, { maxLength: 3 }),
  );
  const nested = fc.dictionary(fc.constantFrom('password', 'set-cookie', 'msg', 'tel', 'ssn', 'a b'), member, { maxKeys: 4 });
  const text = fc.oneof(
    nested.map((value) => JSON.stringify(value)),
    nested.map((value) =>
      JSON.stringify({ plain: 'kept', body: JSON.stringify(value), deeper: JSON.stringify({ body: JSON.stringify(value) }) }),
    ),
  );
  const masker = createMasker();
  fc.assert(
    fc.property(text, (json) => {
      const masked = masker.maskJson(json);
      const value = JSON.parse(masked);
      if ('plain' in value) expect(value.plain).toBe('kept');
      expect(masker.maskJson(masked)).toBe(masked);
    }),
    { numRuns: 3_000 },
  );
});

/** Counts the characters that are read of it. Time would say the same on a quiet machine only. */
class CountedText extends String {
  work = 0;
  override charCodeAt(index: number): number {
    this.work++;
    return super.charCodeAt(index);
  }
  override slice(start?: number, end?: number): string {
    const part = super.slice(start, end);
    this.work += part.length;
    return part;
  }
  override startsWith(search: string, position?: number): boolean {
    this.work += search.length;
    return super.startsWith(search, position);
  }
}

describe('the work grows as the text does', () => {
  const units = [
    'a@',
    '@',
    'a.',
    '1 ',
    '12 ',
    '1.',
    '4111 ',
    '4111-',
    '123-',
    '555-555-',
    '555-555-5555 ',
    'a:',
    ':',
    'ab:',
    '::',
    'a://',
    '://',
    'eyJ-',
    'eyJ',
    'eyJaaaaaaaaaaaa.',
    'sk-',
    'sk-a',
    'Bearer ',
    'bearer:',
    'authorization:bearer ',
    '-',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    '=',
    'a=',
    'password=',
    'password:',
    `${'a'.repeat(56)}password:`,
    `${'a'.repeat(70)}token:`,
    '"password":',
    '"password":"',
    '\\"token\\":',
    '"set-cookie":["',
    'cookie:',
    'cookie:[secret]\n',
    'token:[secret]',
    'DE00 ',
    'DE89',
    '(',
    '(1',
    '+1',
    '+',
    '\\',
    '\\\\"',
    '"',
    '%40',
    'a%40',
    'https://hooks.slack.com/services/',
    'order 4111111111111111 ',
    'tel 1 2 3 4 5 6 7 8 ',
    'lorem ipsum ',
    'é',
    '電',
  ];
  test.each(units)('of %j', (unit) => {
    const work = (length: number): number => {
      const text = new CountedText(unit.repeat(Math.ceil(length / unit.length)));
      findSensitive(text as unknown as string);
      return text.work / text.length;
    };
    const perCharacter = work(40_000);
    // A quadratic detector would have eight times as much, and thousands for each character.
    expect(perCharacter).toBeLessThan(work(5_000) * 1.5 + 2);
    expect(perCharacter).toBeLessThan(80);
  });
});

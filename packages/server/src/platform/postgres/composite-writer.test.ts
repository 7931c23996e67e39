import { describe, expect, test } from 'vitest';
import { compositeArray, CompositeWriter } from './composite-writer.ts';

const id = '01970000-0001-7000-8000-0123456789ab';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('a composite value', () => {
  test('has the count of its fields, and of each its type, its length and its bytes', () => {
    const bytes = new CompositeWriter().begin().uuid(id).int8(-2).text(undefined).bool(true).end();
    expect(hex(bytes)).toBe(
      `00000004 00000b86 00000010 ${id.replaceAll('-', '')} 00000014 00000008 fffffffffffffffe 00000019 ffffffff 00000010 00000001 01`.replaceAll(
        ' ',
        '',
      ),
    );
  });

  test('counts time in microseconds since 2000, of whole milliseconds', () => {
    const written = (epochMs: number) => new CompositeWriter().begin().timestamptz(epochMs).end().readBigInt64BE(12);
    expect(written(Date.UTC(2000, 0, 1))).toBe(0n);
    expect(written(Date.UTC(2026, 0, 1) + 1.999)).toBe(BigInt(Date.UTC(2026, 0, 1) + 1 - Date.UTC(2000, 0, 1)) * 1000n);
    expect(written(Date.UTC(1999, 11, 31, 23, 59, 59, 999))).toBe(-1000n);
  });

  test.each([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 32, -(2 ** 32), 2 ** 31, -1, 0])('keeps the integer %d', (value) => {
    expect(new CompositeWriter().begin().int8(value).end().readBigInt64BE(12)).toBe(BigInt(value));
  });

  test.each([
    ['more than the first buffer holds', 'x'.repeat(100_000)],
    ['three bytes a unit', '語'.repeat(5_000)],
    ['pairs', '🙂'.repeat(5_000)],
  ])('has room for a text of %s', (_name, text) => {
    const bytes = new CompositeWriter().begin().uuid(id).text(text).uuid(id).end();
    const length = Buffer.byteLength(text);
    expect(bytes.readInt32BE(4 + 24 + 4)).toBe(length);
    expect(bytes.toString('utf8', 36, 36 + length)).toBe(text);
    expect(bytes.length).toBe(36 + length + 24);
  });

  test('has the same bytes for a UUID that comes again, also after ten thousand others', () => {
    const writer = new CompositeWriter();
    const expected = writer.begin().uuid(id).end();
    for (let other = 0; other < 10_001; other++) {
      const bytes = writer
        .begin()
        .recurringUuid(`01970000-0001-7000-8000-${String(other).padStart(12, '0')}`)
        .end();
      expect(bytes.toString('hex', 22)).toBe(String(other).padStart(12, '0'));
      expect(writer.begin().recurringUuid(id).end().equals(expected)).toBe(true);
    }
  });

  test('is a copy: the next value does not change it', () => {
    const writer = new CompositeWriter();
    const first = writer.begin().text('first').end();
    writer.begin().text('other').end();
    expect(first.toString('latin1')).toContain('first');
  });

  test.each(['', 'no uuid', id.slice(0, -1), `${id}0`, `${id}00`, id.replace('a', 'g'), `${id.slice(0, -1)}é`])(
    'refuses %j as a UUID',
    (text) => {
      expect(() => new CompositeWriter().begin().uuid(text)).toThrow(TypeError);
      expect(() => new CompositeWriter().begin().recurringUuid(text)).toThrow(TypeError);
    },
  );
});

test('an array has one dimension, the type of its elements, and each with its length', () => {
  expect(hex(compositeArray(0x89abcdef, [Buffer.from([1, 2]), Buffer.from([3])]))).toBe(
    '00000001 00000000 89abcdef 00000002 00000001 00000002 0102 00000001 03'.replaceAll(' ', ''),
  );
});

import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { after, before, parseDuration, parseMoment } from './moments.ts';

test.each([
  ['0s', 0],
  ['90s', 90],
  ['15m', 900],
  ['24h', 86_400],
  ['30d', 2_592_000],
  ['2w', 1_209_600],
])('%s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(['', '5', 'h', '-1h', '1.5h', '1 h', '1y', '99999999999w', '9999999999w'])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
});

test.each([
  ['2026-12-31', '2026-12-31T00:00:00.000Z'],
  ['2026-12-31T12:00Z', '2026-12-31T12:00:00.000Z'],
  ['2026-12-31T12:00:00+02:00', '2026-12-31T10:00:00.000Z'],
])('%s is a moment of its own', (text, iso) => {
  expect(after(parseMoment(text), 0).toISOString()).toBe(iso);
  expect(before(parseMoment(text), 0).toISOString()).toBe(iso);
});

test.each(['2026-02-31', '2026-13-01', '2026-12-31T12:00', 'tomorrow', '31.12.2026', '2026', 'NaN'])('%s is no moment', (text) => {
  expect(() => parseMoment(text)).toThrow(InvalidArgumentError);
});

test('a duration counts from now, forwards or back', () => {
  const now = Date.parse('2026-11-20T00:00:00Z');
  expect(after(parseMoment('1d'), now).toISOString()).toBe('2026-11-21T00:00:00.000Z');
  expect(before(parseMoment('1d'), now).toISOString()).toBe('2026-11-19T00:00:00.000Z');
});

import { expect, test } from 'vitest';
import { maskReason } from './mask-reason.ts';

test.each([
  ['Incorrect API key provided: sk-proj-abcDEF123456**** end.', 'Incorrect API key provided: [masked] end.'],
  ['header Bearer abcdef123456 refused', 'header [masked] refused'],
  ['token AbCdEfGhIjKlMnOpQrStUvWxYz0123456789 refused', 'token [masked] refused'],
  ['messages[0].role: must be one of system, user', 'messages[0].role: must be one of system, user'],
  ['line one\r\nline two', 'line one line two'],
])('%j is shown as %j', (given, shown) => {
  expect(maskReason(given)).toBe(shown);
});

test('the keys that were sent are masked whatever they look like, also where the reason is cut', () => {
  expect(maskReason('the key kenning-7 is wrong', ['kenning-7'])).toBe('the key [masked] is wrong');
  expect(maskReason(`${'word '.repeat(99)}kenning-7`, ['kenning-7'])).not.toContain('kenn');
  expect(maskReason(`${'word '.repeat(99)}sk-proj-abcDEF123456`)).not.toContain('sk-');
  expect(maskReason('nothing to mask', [''])).toBe('nothing to mask');
});

test('a reason is bounded, and none stays none', () => {
  expect(maskReason('word '.repeat(10_000))!.length).toBeLessThanOrEqual(500);
  expect(maskReason('')).toBeUndefined();
  expect(maskReason(undefined)).toBeUndefined();
});

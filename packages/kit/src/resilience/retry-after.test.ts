import { expect, test } from 'vitest';
import { HoldfastError } from '../errors/index.ts';
import { retryAfterMsOf } from './retry-after.ts';

const now = Date.parse('2026-11-20T10:00:00Z');
const of = (error: unknown) => retryAfterMsOf(error, () => now);

test('a HoldfastError says it in seconds, or says nothing', () => {
  expect(of(new HoldfastError('provider_rate_limited', { retryAfterSeconds: 1.5 }))).toBe(1500);
  expect(of(new HoldfastError('provider_rate_limited'))).toBeUndefined();
  expect(of(Object.assign(new HoldfastError('provider_rate_limited'), { headers: { 'retry-after': '3' } }))).toBeUndefined();
});

test.each<[unknown, number | undefined]>([
  [{ 'retry-after': '3' }, 3_000],
  [{ 'retry-after': 3 }, 3_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': 'Fri, 20 Nov 2026 10:00:07 GMT' }, 7_000],
  [{ 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT' }, 0],
  [{ 'retry-after': '3', 'retry-after-ms': '250' }, 250],
  [{ 'retry-after': '3', 'retry-after-ms': 'soon' }, 3_000],
  [{ 'retry-after': '3', 'retry-after-ms': '0' }, 0],
  [{ 'retry-after': ['3'] }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': ' ' }, undefined],
  [{ 'retry-after': '999999999' }, 86_400_000],
  [new Headers({ 'Retry-After': '2' }), 2_000],
  [{}, undefined],
  [null, undefined],
  ['retry-after: 3', undefined],
])('headers %o of an HTTP client’s error ask for %s ms', (headers, expected) => {
  expect(of(Object.assign(new Error('answered'), { headers }))).toBe(expected);
  expect(of(Object.assign(new Error('answered'), { response: { headers } }))).toBe(expected);
});

test.each([undefined, null, 'text', 7, new Error('plain'), { response: null }])('%o asks for nothing', (error) => {
  expect(of(error)).toBeUndefined();
});

test('seconds of any error are read, negative ones are none', () => {
  expect(of({ retryAfterSeconds: 2 })).toBe(2_000);
  expect(of({ retryAfterSeconds: -2 })).toBe(0);
  expect(of({ retryAfterSeconds: Number.NaN })).toBeUndefined();
});

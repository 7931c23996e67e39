import { chatCompletionRequest } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { checkedPart } from './checked-part.ts';

const call = { model: 'fast', messages: [{ role: 'user', content: ['a', { text: 'b' }] }], stop: null, n: 1 };

test('a body of common size is checked whole', () => {
  expect(checkedPart(call)).toEqual(call);
});

test('a million faults become few, and none becomes none', () => {
  const faults = (body: object) => chatCompletionRequest.safeParse(checkedPart({ ...call, ...body })).error?.issues.length ?? 0;
  expect(faults({ messages: Array.from({ length: 1_000_000 }, () => 1) })).toBe(10_000);
  expect(faults({ messages: [1] })).toBe(1);
  expect(faults({ messages: Array.from({ length: 1_000 }, () => ({ content: Array.from({ length: 1_000 }, () => 1) })) })).toBeLessThan(
    10_000,
  );
});

test('what comes behind a long list is still there', () => {
  const long = Array.from({ length: 20_000 }, () => 1);
  expect(chatCompletionRequest.safeParse(checkedPart({ unknown: long, ...call })).success).toBe(true);
});

test('a member by the name of __proto__ stays a member', () => {
  const body = checkedPart(JSON.parse('{"__proto__":{"polluted":true},"a":1}') as Record<string, unknown>);
  expect(Object.keys(body)).toEqual(['__proto__', 'a']);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

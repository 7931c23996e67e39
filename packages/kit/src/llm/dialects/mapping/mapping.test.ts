import { describe, expect, test } from 'vitest';
import {
  portableToolId,
  portableUserId,
  readDataUrl,
  toFinishReason,
  toInputSchema,
  toStopReason,
  writeAnthropicUsage,
  writeDataUrl,
  writeOpenaiUsage,
} from './index.ts';

describe('finish reasons', () => {
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['pause_turn', 'length'],
    ['yet_to_come', 'length'],
    ['constructor', 'length'],
    [undefined, 'length'],
  ])('%s is %s for a client of OpenAI', (stopReason, finishReason) => {
    expect(toFinishReason(stopReason)).toBe(finishReason);
  });

  test.each([
    ['stop', false, 'end_turn'],
    ['stop', true, 'tool_use'],
    ['tool_calls', true, 'tool_use'],
    ['function_call', true, 'tool_use'],
    ['length', true, 'max_tokens'],
    ['content_filter', false, 'refusal'],
    ['insufficient_system_resource', false, 'max_tokens'],
    [undefined, false, 'end_turn'],
  ])('%s (with calls: %s) is %s for a client of Anthropic', (finishReason, hasToolCalls, stopReason) => {
    expect(toStopReason(finishReason, { hasToolCalls, refused: false })).toBe(stopReason);
  });

  test('a refusal in words is one, however the provider calls the end', () => {
    expect(toStopReason('stop', { hasToolCalls: false, refused: true })).toBe('refusal');
  });
});

describe('ids', () => {
  test('both sides take stay as they are', () => {
    for (const id of ['call_62136354a1b2', 'toolu_01T1x1fJ34qAmk2tNTrN7Up6']) expect(portableToolId(id)).toBe(id);
  });

  test('that one side refuses are replaced, each by its own, always the same', () => {
    const strange = ['functions.look:0', 'functions.look:1', 'x'.repeat(41), 'ünique', ' '];
    const ids = strange.map(portableToolId);
    expect(ids.every((id) => /^call_[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(strange.length);
    expect(strange.map(portableToolId)).toEqual(ids);
    expect(ids.map(portableToolId)).toEqual(ids);
  });

  test('of users fit into 64 characters and stay told apart', () => {
    expect(portableUserId('u'.repeat(64))).toBe('u'.repeat(64));
    expect(portableUserId('u'.repeat(65))).toMatch(/^[0-9a-f]{64}$/);
    expect(portableUserId('u'.repeat(65))).not.toBe(portableUserId('u'.repeat(66)));
  });
});

test('data URLs are taken apart and put together again', () => {
  expect(readDataUrl('data:image/png;base64,aGk=')).toEqual({ mediaType: 'image/png', base64: 'aGk=' });
  expect(readDataUrl('DATA:Image/PNG;name=x.png;Base64,aGk=')).toEqual({ mediaType: 'image/png', base64: 'aGk=' });
  expect(writeDataUrl({ mediaType: 'image/png', base64: 'aGk=' })).toBe('data:image/png;base64,aGk=');
  for (const url of ['https://x/y.png', 'data:image/png,plain', 'data:image/png;base64', 'data:text/plain;charset=base64,x'])
    expect(readDataUrl(url)).toBeUndefined();
});

test('a schema says that it is an object', () => {
  expect(toInputSchema(undefined)).toEqual({ type: 'object', properties: {} });
  expect(toInputSchema({ properties: { a: {} } })).toEqual({ type: 'object', properties: { a: {} } });
  expect(toInputSchema({ type: 'object', required: [] })).toEqual({ type: 'object', required: [] });
});

test('usage counts what went in as each side does', () => {
  const usage = {
    promptTokens: 111,
    completionTokens: 7,
    cachedTokens: 10,
    cacheWriteTokens: 100,
    reasoningTokens: 3,
    source: 'provider',
  } as const;
  expect(writeOpenaiUsage(usage)).toMatchObject({ prompt_tokens: 111, completion_tokens: 7, total_tokens: 118 });
  expect(writeAnthropicUsage(usage)).toMatchObject({
    input_tokens: 1,
    cache_read_input_tokens: 10,
    cache_creation_input_tokens: 100,
    output_tokens: 7,
    output_tokens_details: { thinking_tokens: 3 },
  });
  expect(writeAnthropicUsage({ ...usage, promptTokens: 5 })).toMatchObject({ input_tokens: 0 });
  expect(writeAnthropicUsage(undefined)).toMatchObject({ input_tokens: 0, output_tokens: 0 });
});

import { HoldfastError } from '@holdfast/kit/errors';
import type { Usage } from '@holdfast/kit/llm';
import { describe, expect, test } from 'vitest';
import { createModelCall } from '../../test/support/model-call.ts';
import { usageOf } from './estimate-usage.ts';
import type { ModelCall } from './model-call.ts';

function call(body: object, record: Partial<ModelCall['record']> = {}): ModelCall {
  return createModelCall({ body, record: { provider: 'p', providerKind: 'openai', targetModel: 'm', sent: true, ...record } });
}

const prompt = (text: string) => ({ messages: [{ role: 'user', content: text }] });
const reported: Usage = {
  promptTokens: 100,
  completionTokens: 1,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  source: 'provider',
};
const failed = (code: 'client_closed' | 'provider_rejected_request' | 'provider_unreachable' | 'first_token_timeout') =>
  new HoldfastError(code);

describe('usageOf', () => {
  test('believes the provider about an answer that is whole', () => {
    expect(usageOf(call(prompt('hi')), undefined, { usage: reported, outputBytes: 4000, servedModel: undefined })).toBe(reported);
  });

  test.each([
    ['a prompt of nothing', { promptTokens: 0, completionTokens: 7 }, { promptTokens: 3, completionTokens: 10 }],
    ['an answer of nothing', { promptTokens: 9, completionTokens: 0 }, { promptTokens: 9, completionTokens: 10 }],
  ])('does not believe a provider that tells of %s', (_what, counts, counted) => {
    const usage = { ...reported, ...counts };
    expect(usageOf(call(prompt('hi there')), undefined, { usage, outputBytes: 40, servedModel: undefined })).toMatchObject({
      ...counted,
      source: 'estimated',
    });
    const counting = { ...call(prompt('hi')), operation: 'count_tokens' as const };
    expect(usageOf(counting, undefined, { usage, outputBytes: 0, servedModel: undefined })).toBe(usage);
  });

  test('an answer that is whole and tells nothing is never counted as nothing', () => {
    expect(usageOf(call(prompt('')), undefined, { usage: undefined, outputBytes: 0, servedModel: undefined })).toMatchObject({
      completionTokens: 1,
      source: 'estimated',
    });
  });

  test('counts what a broken stream had said beyond what it reported at its beginning', () => {
    expect(
      usageOf(call(prompt('hi')), failed('client_closed'), { usage: reported, outputBytes: 400, servedModel: undefined }),
    ).toMatchObject({
      promptTokens: 100,
      completionTokens: 100,
      source: 'estimated',
    });
  });

  test('an estimate is never more than the client allowed', () => {
    const use = { usage: undefined, outputBytes: 4000, servedModel: undefined };
    expect(usageOf(call({ ...prompt('hi'), max_tokens: 50, n: 2 }), undefined, use)!.completionTokens).toBe(100);
    expect(usageOf(call(prompt('hi')), undefined, use)!.completionTokens).toBe(1_000);
  });

  test('a provider that was sent the request may have worked, one that refused or was not reached has not', () => {
    const silent = { usage: undefined, outputBytes: 0, servedModel: undefined };
    expect(usageOf(call(prompt('x'.repeat(400))), failed('first_token_timeout'), silent)?.promptTokens).toBeGreaterThanOrEqual(100);
    expect(usageOf(call(prompt('x')), failed('provider_rejected_request'), silent)).toBeUndefined();
    expect(usageOf(call(prompt('x')), failed('provider_unreachable'), silent)).toBeUndefined();
    expect(usageOf(call(prompt('x'), { sent: false }), failed('client_closed'), silent)).toBeUndefined();
    expect(usageOf(call(prompt('x'), { provider: undefined }), failed('client_closed'), silent)).toBeUndefined();
  });

  test('a picture in the prompt is not counted letter by letter', () => {
    const picture = {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` } }] }],
    };
    expect(usageOf(call(picture), undefined, undefined)!.promptTokens).toBeLessThan(2_000);
  });
});

import { expect, test } from 'vitest';
import { readAnthropicUsage } from './anthropic-usage.ts';
import { readOpenaiUsage } from './openai-usage.ts';

test('what Anthropic keeps for an hour is told apart, and remembered when the end of a stream does not repeat it', () => {
  const start = {
    input_tokens: 10,
    cache_read_input_tokens: 5,
    cache_creation_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    output_tokens: 1,
  };
  const usage = readAnthropicUsage(start)!;
  expect(usage).toMatchObject({ promptTokens: 45, cachedTokens: 5, cacheWriteTokens: 30, cacheWrite1hTokens: 20 });
  expect(readAnthropicUsage({ output_tokens: 50 }, usage)).toMatchObject({
    promptTokens: 45,
    cacheWrite1hTokens: 20,
    completionTokens: 50,
  });
  expect(readAnthropicUsage({ input_tokens: 1, cache_creation: null })).not.toHaveProperty('cacheWrite1hTokens');
});

test("OpenAI's details tell of what is written to the cache, of sound and of pictures", () => {
  const usage = readOpenaiUsage({
    prompt_tokens: 100,
    completion_tokens: 50,
    prompt_tokens_details: { cached_tokens: 10, cache_write_tokens: 20, audio_tokens: 30, image_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 6 },
  });
  expect(usage).toEqual({
    promptTokens: 100,
    completionTokens: 50,
    cachedTokens: 10,
    cacheWriteTokens: 20,
    reasoningTokens: 4,
    audioPromptTokens: 30,
    imagePromptTokens: 5,
    audioCompletionTokens: 6,
    source: 'provider',
  });
  expect(
    Object.keys(readOpenaiUsage({ prompt_tokens: 1, prompt_tokens_details: { audio_tokens: 0, cache_write_tokens: -1 } })!),
  ).toHaveLength(6);
});

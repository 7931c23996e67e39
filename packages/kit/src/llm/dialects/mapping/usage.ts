import type { Usage } from '../../spec/index.ts';
import type { JsonObject } from '../json/index.ts';

/** OpenAI's `usage`. */
export function writeOpenaiUsage(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: usage.cacheWriteTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** The part of Anthropic's `usage` that `message_delta` repeats. Without a usage, zeros: its SDKs read the counts unasked. */
export function writeAnthropicUsage(usage: Usage | undefined): JsonObject {
  const prompt = usage?.promptTokens ?? 0;
  const cached = usage?.cachedTokens ?? 0;
  const written = usage?.cacheWriteTokens ?? 0;
  return {
    input_tokens: Math.max(0, prompt - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: usage?.completionTokens ?? 0,
    output_tokens_details: usage ? { thinking_tokens: usage.reasoningTokens } : null,
    server_tool_use: null,
  };
}

/** Anthropic's whole `usage`, as a message has it. */
export function writeAnthropicMessageUsage(usage: Usage | undefined): JsonObject {
  return { ...writeAnthropicUsage(usage), cache_creation: null, inference_geo: null, service_tier: null, speed: null };
}

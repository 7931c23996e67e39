import type { Usage } from '../spec/index.ts';
import { tokenCount } from './token-count.ts';

/** Reads the `usage` object of chat completions and embeddings; undefined when it has no token counts. */
export function readOpenaiUsage(value: unknown): Usage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const usage = value as Record<string, unknown>;
  if (typeof usage['prompt_tokens'] !== 'number' && typeof usage['total_tokens'] !== 'number') return undefined;
  const promptTokens = tokenCount(usage['prompt_tokens']);
  const prompt = (usage['prompt_tokens_details'] ?? {}) as Record<string, unknown>;
  const completion = (usage['completion_tokens_details'] ?? {}) as Record<string, unknown>;
  return {
    promptTokens,
    completionTokens: tokenCount(usage['completion_tokens']),
    // DeepSeek names its cache hits differently.
    cachedTokens: Math.min(promptTokens, tokenCount(prompt['cached_tokens'] ?? usage['prompt_cache_hit_tokens'])),
    cacheWriteTokens: 0,
    reasoningTokens: tokenCount(completion['reasoning_tokens']),
    source: 'provider',
  };
}

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
    cacheWriteTokens: Math.min(promptTokens, tokenCount(prompt['cache_write_tokens'])),
    reasoningTokens: tokenCount(completion['reasoning_tokens']),
    ...special('audioPromptTokens', prompt['audio_tokens']),
    ...special('imagePromptTokens', prompt['image_tokens']),
    ...special('audioCompletionTokens', completion['audio_tokens']),
    ...special('imageCompletionTokens', completion['image_tokens']),
    source: 'provider',
  };
}

/** Most answers say 0 of all of them, or nothing: those leave no member behind. */
function special(name: keyof Usage, value: unknown): Partial<Usage> | undefined {
  const count = value === undefined || value === 0 ? 0 : tokenCount(value);
  return count === 0 ? undefined : { [name]: count };
}

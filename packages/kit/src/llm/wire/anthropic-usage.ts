import type { Usage } from '../spec/index.ts';
import { tokenCount } from './token-count.ts';

/**
 * Reads Anthropic's `usage`, whose `input_tokens` leave out what went through the cache; ours are all that went in.
 * `before` is what `message_start` said: `message_delta` repeats only some of it, as running totals.
 */
export function readAnthropicUsage(value: unknown, before?: Usage): Usage | undefined {
  if (typeof value !== 'object' || value === null) return before;
  const usage = value as Record<string, unknown>;
  const cachedTokens = count(usage['cache_read_input_tokens'], before?.cachedTokens);
  const cacheWriteTokens = count(usage['cache_creation_input_tokens'], before?.cacheWriteTokens);
  const plainBefore = before && before.promptTokens - before.cachedTokens - before.cacheWriteTokens;
  const kept = (usage['cache_creation'] ?? {}) as Record<string, unknown>;
  const cacheWrite1hTokens = count(kept['ephemeral_1h_input_tokens'], before?.cacheWrite1hTokens);
  const details = (usage['output_tokens_details'] ?? {}) as Record<string, unknown>;
  return {
    // Each part is a safe integer, and the sum has to be one too: what reads the ledger refuses a row that has another.
    promptTokens: Math.min(Number.MAX_SAFE_INTEGER, count(usage['input_tokens'], plainBefore) + cachedTokens + cacheWriteTokens),
    completionTokens: count(usage['output_tokens'], before?.completionTokens),
    cachedTokens,
    cacheWriteTokens,
    ...(cacheWrite1hTokens > 0 && { cacheWrite1hTokens }),
    reasoningTokens: count(details['thinking_tokens'] ?? details['reasoning_tokens'], before?.reasoningTokens),
    source: 'provider',
  };
}

function count(value: unknown, before: number | undefined): number {
  return typeof value === 'number' ? tokenCount(value) : (before ?? 0);
}

import type { Operation, ShallowBody, Usage } from '@holdfast/kit/llm';
import { estimatePromptTokens } from '../estimate-prompt.ts';

/** Tokens of an answer of which nothing is known. */
const usualCompletionTokens = 256;
/** The share of the latest answer in the average. */
const weightOfLatest = 1 / 32;

/**
 * What a call will use, before anybody has worked on it: its prompt as it is estimated everywhere, and as much of an answer as the
 * model's last ones had on the average, at most what the client allows. `max_tokens` alone would say little: it is mostly many times
 * what comes.
 */
export class ExpectedUse {
  #completionTokens = usualCompletionTokens;

  of({ operation, body }: { readonly operation: Operation; readonly body: ShallowBody }): Usage {
    return {
      promptTokens: estimatePromptTokens(body),
      completionTokens: operation === 'chat' ? Math.min(Math.round(this.#completionTokens), allowedTokens(body)) : 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      source: 'estimated',
    };
  }

  learn(usage: Usage | undefined): void {
    if (usage === undefined) return;
    this.#completionTokens += (usage.completionTokens - this.#completionTokens) * weightOfLatest;
  }
}

/** The limit of the answer in the client's words, whichever dialect it speaks. */
function allowedTokens({ value }: ShallowBody): number {
  const given = value['max_completion_tokens'] ?? value['max_tokens'];
  return typeof given === 'number' && given >= 0 ? given : Number.POSITIVE_INFINITY;
}

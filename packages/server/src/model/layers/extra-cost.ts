import { estimatePromptTokens } from '../estimate-prompt.ts';
import type { ModelCall } from '../model-call.ts';

/**
 * What the attempts cost that were stopped while another one was the answer; written into each of them. Null when the price of one is
 * not known. They had read the prompt by then and nothing of their answers was there: more no provider tells once its connection is closed.
 */
export function extraCostNanoUsd({ record, body, context }: ModelCall): number | null {
  let total: number | null = 0;
  for (const { model, extra } of record.attempts) {
    if (extra === undefined) continue;
    const usage = {
      promptTokens: estimatePromptTokens(body),
      completionTokens: 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      source: 'estimated',
    } as const;
    const { providerKind } = extra;
    const cost = record.pricing?.costNanoUsd({ providerKind, model, servedModel: undefined, usage, at: context.startedAt }) ?? null;
    extra.usage = usage;
    extra.costNanoUsd = cost;
    total = total === null || cost === null ? null : total + cost;
  }
  return total;
}

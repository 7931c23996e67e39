import type { ModelCost, ModelCostTier, ModelPriceEntry } from '@holdfast/kit/llm/pricing';

/** A price as the file says it: one map, or a list of them with dates. The reverse of what `readPrices` does. */
export function fromPriceEntry({ cost, cost_since, earlier_costs = [], limit }: ModelPriceEntry): unknown {
  const periods = [...earlier_costs, { since: cost_since, cost }].map(({ since, cost: each }) => ({
    ...(since === undefined ? {} : { since }),
    ...(each === null ? {} : fromCost(each)),
  }));
  const last = { ...periods.at(-1), ...(limit && { contextTokens: limit.context, outputTokens: limit.output }) };
  return periods.length === 1 ? last : [...periods.slice(0, -1), last];
}

function fromCost({ tiers, batch, ...rates }: ModelCost): Readonly<Record<string, unknown>> {
  return {
    ...fromRates(rates),
    ...(batch === undefined ? {} : { batch }),
    ...(tiers === undefined ? {} : { tiers: tiers.map(({ tier, ...own }) => ({ aboveTokens: tier.size, ...fromRates(own) })) }),
  };
}

function fromRates(rates: Omit<ModelCostTier, 'tier'>): Readonly<Record<string, unknown>> {
  return {
    input: rates.input,
    output: rates.output,
    cacheRead: rates.cache_read,
    cacheWrite: rates.cache_write,
    cacheWrite1h: rates.cache_write_1h,
    reasoning: rates.reasoning,
    inputAudio: rates.input_audio,
    outputAudio: rates.output_audio,
    inputImage: rates.input_image,
    outputImage: rates.output_image,
  };
}

import type { ModelCost, ModelCostTier, ModelPriceEntry } from '@holdfast/kit/llm/pricing';

/** A price as the file says it: one map, or a list of them with dates. The reverse of what `readPrices` does. */
export function fromPriceEntry({ cost, cost_since, earlier_costs = [] }: ModelPriceEntry): unknown {
  const periods = [...earlier_costs, { since: cost_since, cost }].map(({ since, cost: each }) => ({
    ...(since === undefined ? {} : { since }),
    ...(each === null ? {} : fromCost(each)),
  }));
  return periods.length === 1 ? periods[0] : periods;
}

function fromCost({ tiers, ...rates }: ModelCost): Readonly<Record<string, unknown>> {
  return {
    ...fromRates(rates),
    ...(tiers === undefined ? {} : { tiers: tiers.map(({ tier, ...own }) => ({ aboveTokens: tier.size, ...fromRates(own) })) }),
  };
}

function fromRates({ input, output, cache_read, cache_write, reasoning }: Omit<ModelCostTier, 'tier'>): Readonly<Record<string, unknown>> {
  return { input, output, cacheRead: cache_read, cacheWrite: cache_write, reasoning };
}

import { costNanoUsd, createPriceBook } from '@holdfast/kit/llm/pricing';
import type { Configuration } from '../config/index.ts';
import type { Pricing } from '../model/index.ts';

/** Prices from the dated book. What the provider says it served decides; where that has no price, what it was asked for does. */
export function openPricing({ prices: overrides }: Configuration): Pricing {
  const book = createPriceBook({ overrides });
  return {
    costNanoUsd({ providerKind, model, servedModel, usage, at }) {
      const priceOf = (name: string) => book.priceOf({ provider: providerKind, model: name, at });
      const prices = (servedModel === undefined ? undefined : priceOf(servedModel)) ?? priceOf(model);
      return prices === undefined ? null : (costNanoUsd(usage, prices) ?? null);
    },
    boundsOf: ({ providerKind, model, at }) => book.boundsOf({ provider: providerKind, model, at }),
  };
}

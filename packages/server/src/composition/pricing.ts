import { costNanoUsd, createPriceBook, type DatedPrice } from '@holdfast/kit/llm/pricing';
import type { Configuration } from '../config/index.ts';
import type { Pricing } from '../model/index.ts';

/** Prices from the dated book. What the provider says it served decides; where that has no price, what it was asked for does. */
export function openPricing({ prices: overrides }: Configuration): Pricing {
  const book = createPriceBook({ overrides });
  function find({ providerKind, model, servedModel, at }: Parameters<Pricing['priceId']>[0]): DatedPrice | undefined {
    const priceOf = (name: string) => book.find({ provider: providerKind, model: name, at });
    return (servedModel === undefined ? undefined : priceOf(servedModel)) ?? priceOf(model);
  }
  return {
    costNanoUsd(used) {
      const price = find(used);
      return price === undefined ? null : (costNanoUsd(used.usage, price.prices) ?? null);
    },
    priceId: (used) => find(used)?.id,
    boundsOf: ({ providerKind, model, at }) => book.boundsOf({ provider: providerKind, model, at }),
  };
}

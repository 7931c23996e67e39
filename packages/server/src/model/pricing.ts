import type { Usage } from '@holdfast/kit/llm';
import type { PriceBounds } from '@holdfast/kit/llm/pricing';

export interface Pricing {
  /** What a call costs, in integer nano-dollars; null when the price is unknown. */
  costNanoUsd(used: {
    readonly providerKind: string;
    readonly model: string;
    readonly servedModel: string | undefined;
    readonly usage: Usage;
    readonly at: number;
  }): number | null;
  /** Which price of the list that was; undefined when it is unknown. */
  priceId(used: {
    readonly providerKind: string;
    readonly model: string;
    readonly servedModel: string | undefined;
    readonly at: number;
  }): string | undefined;
  /** What bounds the cost of a call that is still to be made; undefined when the price is unknown. */
  boundsOf(asked: { readonly providerKind: string; readonly model: string; readonly at: number }): PriceBounds | undefined;
}

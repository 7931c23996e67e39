import type { Usage } from '@holdfast/kit/llm';

/** What a call costs, in integer nano-dollars; null when the price is unknown. */
export interface Pricing {
  costNanoUsd(used: {
    readonly providerKind: string;
    readonly model: string;
    readonly servedModel: string | undefined;
    readonly usage: Usage;
    readonly at: number;
  }): number | null;
}

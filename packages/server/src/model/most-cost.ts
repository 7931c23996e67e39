import { mostCostNanoUsd } from '@holdfast/kit/llm/pricing';
import type { Operation, ShallowBody } from '@holdfast/kit/llm';
import { estimatePromptTokens } from './estimate-prompt.ts';
import type { ModelRoute } from './model-route.ts';
import { mostUse } from './most-use.ts';
import type { Pricing } from './pricing.ts';

/** What is asked of a call here: a `ModelCall` behind the layer `policy`, or a part of one. */
export interface BoundedCall {
  readonly operation: Operation;
  readonly body: ShallowBody;
  readonly context: { readonly startedAt: number };
  readonly record: { readonly route: BoundedRoute | undefined; readonly pricing: Pricing | undefined };
}

export interface BoundedRoute extends Pick<ModelRoute, 'hedged' | 'mostAttempts'> {
  readonly targets: readonly BoundedTarget[];
}

interface BoundedTarget {
  /** `provider/model` */
  readonly name: string;
  readonly model: string;
  readonly provider: { readonly kind: string; supports(operation: Operation): boolean };
}

export type MostCost =
  | {
      readonly known: true;
      /** The most that the row of the call can say, in nano-dollars: of the dearest target that may serve it, and what is lost to hedging. */
      readonly nanoUsd: number;
      /** What of it is the prompt's, as bounded by bytes: an exact count of tokens can lower this part alone. */
      readonly promptTokens: number;
      readonly completionTokens: number;
      /** A limit of a model had to be assumed, since neither the request nor the price book has one. */
      readonly assumed: boolean;
    }
  /** One of the targets that may serve it has no known price (or one that no number holds): nobody can say what it will cost. */
  | { readonly known: false; readonly why: 'price_unknown'; readonly target: string };

/** Of a prompt that was counted, in place of the bound by bytes. */
export interface CountedPrompt {
  readonly promptTokens: number;
}

/**
 * The most that a call can cost, before it is made: what a budget has to hold for it. Never less than the cost in its row, for any usage that a provider
 * may report within the limits of the request and of the model; it is for the caller to say so when a provider reports more than it may.
 *
 * A pure function of the call; a few microseconds, without a look at the texts themselves.
 */
export function mostCost(call: BoundedCall, counted?: CountedPrompt): MostCost {
  const { operation, body, context } = call;
  const { route, pricing } = call.record;
  let most = 0;
  let promptTokens = 0;
  let completionTokens = 0;
  let assumed = false;
  for (const { name, model, provider } of route?.targets ?? []) {
    if (!provider.supports(operation)) continue;
    const bounds = pricing?.boundsOf({ providerKind: provider.kind, model, at: context.startedAt });
    if (bounds === undefined) return { known: false, why: 'price_unknown', target: name };
    const use = mostUse({ operation, body, providerKind: provider.kind, model, limit: bounds.limit });
    const prompt = counted === undefined ? use.promptTokens : Math.min(use.promptTokens, counted.promptTokens);
    const bounded = { ...use, promptTokens: prompt };
    const lost = route!.hedged ? { promptTokens: estimatePromptTokens(body), completionTokens: 0 } : undefined;
    for (const prices of bounds.prices) {
      const answer = mostCostNanoUsd(bounded, prices);
      const loser = lost && mostCostNanoUsd(lost, prices);
      const total = answer === undefined ? undefined : answer + (lost ? (loser ?? Number.NaN) * route!.mostAttempts : 0);
      if (!Number.isSafeInteger(total)) return { known: false, why: 'price_unknown', target: name };
      most = Math.max(most, total!);
    }
    promptTokens = Math.max(promptTokens, prompt);
    completionTokens = Math.max(completionTokens, use.completionTokens);
    assumed ||= use.assumed;
  }
  return { known: true, nanoUsd: most, promptTokens, completionTokens, assumed };
}

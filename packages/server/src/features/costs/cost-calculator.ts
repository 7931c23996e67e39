import { formatUsd, type CostEstimate, type EstimateCostRequest } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import { readShallowBody, type Usage } from '@holdfast/kit/llm';
import { costNanoUsd, costParts, type CostParts, type DatedPrice, type PriceBook } from '@holdfast/kit/llm/pricing';
import type { Clock } from '@holdfast/kit/time';
import { mostCost, type ServedModels } from '../../model/index.ts';
import { safeNanoUsd } from './cost-service.ts';

export interface CostCalculatorOptions {
  /** Those of this moment. */
  readonly models: Pick<ServedModels, 'current'>;
  readonly book: () => PriceBook;
  readonly clock: Clock;
}

export interface CostCalculator {
  /** Throws `model_not_allowed` and `model_not_found`. Asks no provider, and remembers nothing. */
  estimate(request: EstimateCostRequest, allowedModels: ReadonlySet<string> | undefined): CostEstimate;
}

/** What calls would cost, by the prices that the ledger would use. */
export function createCostCalculator({ models, book, clock }: CostCalculatorOptions): CostCalculator {
  return {
    estimate({ model, usage, request, calls, batch, at: moment }, allowedModels) {
      if (allowedModels && !allowedModels.has(model)) throw new HoldfastError('model_not_allowed', { details: { model } });
      const { catalog, pricing } = models.current;
      const route = catalog.find(model);
      if (!route) throw new HoldfastError('model_not_found', { details: { model } });
      const at = moment === undefined ? clock.now() : Date.parse(moment);
      const body = request && readShallowBody(Buffer.from(JSON.stringify(request)));
      const most = body && mostCost({ operation: 'chat', body, context: { startedAt: at }, record: { route, pricing } });
      const supposed = usage && toUsage(usage);
      return {
        model,
        data: route.targets.map((target) => {
          const price = book().find({ provider: target.provider.kind, model: target.model, at });
          return { target: target.name, ...costAt(price, supposed, { calls, batch }) };
        }),
        most: most?.known
          ? {
              ...amount(BigInt(most.nanoUsd) * BigInt(calls)),
              prompt_tokens: most.promptTokens,
              completion_tokens: most.completionTokens,
              assumed: most.assumed,
            }
          : null,
      };
    },
  };
}

function costAt(
  price: DatedPrice | undefined,
  usage: Usage | undefined,
  { calls, batch }: { readonly calls: number; readonly batch: boolean },
) {
  const prices = batch ? price?.prices.batch : price?.prices;
  const known = prices && usage ? costNanoUsd(usage, prices) : undefined;
  const parts = prices && usage ? costParts(usage, prices) : undefined;
  const nothing = { price_id: price?.id ?? null, cost_nano_usd: null, cost_usd: null, parts_nano_usd: null };
  if (known === undefined || parts === undefined) return nothing;
  return { ...nothing, ...amount(BigInt(known) * BigInt(calls)), parts_nano_usd: roundParts(parts) };
}

function amount(nanoUsd: bigint): { readonly cost_nano_usd: number | null; readonly cost_usd: string } {
  return { cost_nano_usd: safeNanoUsd(nanoUsd), cost_usd: formatUsd(nanoUsd) };
}

function roundParts(parts: CostParts) {
  const round = (picoUsd: bigint) => Number((picoUsd + 500n) / 1000n);
  return {
    input: round(parts.inputPicoUsd),
    cached: round(parts.cachedPicoUsd),
    cache_write: round(parts.cacheWritePicoUsd),
    output: round(parts.outputPicoUsd),
    reasoning: round(parts.reasoningPicoUsd),
    media: round(parts.mediaPicoUsd),
  };
}

function toUsage(given: NonNullable<EstimateCostRequest['usage']>): Usage {
  return {
    promptTokens: given.prompt_tokens,
    completionTokens: given.completion_tokens,
    cachedTokens: given.cached_tokens,
    cacheWriteTokens: given.cache_write_tokens,
    cacheWrite1hTokens: given.cache_write_1h_tokens,
    reasoningTokens: given.reasoning_tokens,
    audioPromptTokens: given.audio_prompt_tokens,
    audioCompletionTokens: given.audio_completion_tokens,
    imagePromptTokens: given.image_prompt_tokens,
    imageCompletionTokens: given.image_completion_tokens,
    source: 'estimated',
  };
}

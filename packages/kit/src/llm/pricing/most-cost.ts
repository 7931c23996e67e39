import type { TokenPrices, TokenRates } from './token-prices.ts';

/** The most tokens that a call can use, whichever kinds they are of. Whole numbers ≥ 0. */
export interface MostUse {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Whether some of the prompt may be kept in a cache for an hour. Default: no. */
  readonly cachedForAnHour?: boolean;
  /** Whether some of it, of the prompt or of the answer, may be sound or pictures. Default: no. */
  readonly media?: boolean;
}

/**
 * The most that any usage within `use` can cost, in whole nano-dollars, rounded up: never less than `costNanoUsd` of a usage with no
 * more tokens of the prompt and of the completion, however they are split into cached, written to a cache, audio or reasoning. A tier can be cheaper
 * than the one below it, so each that a prompt of at most this size can fall into is looked at, with the largest prompt that does.
 * Undefined when the sum passes 2^53 nano-dollars, nine million dollars.
 */
export function mostCostNanoUsd(use: MostUse, prices: TokenPrices): number | undefined {
  const { tiers } = prices;
  const { promptTokens } = use;
  let most = costAt(prices, tiers.length === 0 ? promptTokens : Math.min(promptTokens, tiers[0]!.abovePromptTokens), use);
  for (let at = 0; at < tiers.length && tiers[at]!.abovePromptTokens < promptTokens; at++) {
    const next = tiers[at + 1];
    most = Math.max(most, costAt(tiers[at]!, next ? Math.min(promptTokens, next.abovePromptTokens) : promptTokens, use));
  }
  return Number.isSafeInteger(most) ? most : undefined;
}

function costAt(rates: TokenRates, promptTokens: number, { completionTokens, cachedForAnHour, media }: MostUse): number {
  let promptRate = Math.max(rates.inputPicoUsd, rates.cachedPicoUsd, rates.cacheWritePicoUsd);
  let completionRate = Math.max(rates.outputPicoUsd, rates.reasoningPicoUsd);
  if (cachedForAnHour) promptRate = Math.max(promptRate, rates.cacheWrite1hPicoUsd ?? 0);
  if (media) {
    promptRate = Math.max(promptRate, rates.inputAudioPicoUsd ?? 0, rates.inputImagePicoUsd ?? 0);
    completionRate = Math.max(completionRate, rates.outputAudioPicoUsd ?? 0, rates.outputImagePicoUsd ?? 0);
  }
  const picoUsd = promptTokens * promptRate + completionTokens * completionRate;
  if (picoUsd <= Number.MAX_SAFE_INTEGER) return Math.ceil(picoUsd / 1000);
  // Beyond 2^53 the sum may have been rounded down.
  return Number((BigInt(promptTokens) * BigInt(promptRate) + BigInt(completionTokens) * BigInt(completionRate) + 999n) / 1000n);
}

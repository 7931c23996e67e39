import type { Usage } from '../spec/index.ts';
import type { TokenPrices, TokenRates } from './token-prices.ts';

const picoPerNano = 1000;

/** What a call cost, part by part, in pico-dollars: exact, nothing rounded. */
export interface CostParts {
  readonly inputPicoUsd: bigint;
  readonly cachedPicoUsd: bigint;
  readonly cacheWritePicoUsd: bigint;
  readonly outputPicoUsd: bigint;
  readonly reasoningPicoUsd: bigint;
}

/** The tokens that count, by the price that they have. */
interface PricedTokens {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/**
 * What a call costs in whole nano-dollars (10⁻⁹ dollars), rounded once, half up. Undefined when the usage is none that can
 * be counted (negative, broken) or the sum passes 2^53 nano-dollars, nine million dollars: then it is not known.
 */
export function costNanoUsd(usage: Usage, prices: TokenPrices): number | undefined {
  const tokens = pricedTokens(usage);
  if (!tokens) return undefined;
  const rates = ratesFor(usage, prices);
  const picoUsd =
    tokens.input * rates.inputPicoUsd +
    tokens.cached * rates.cachedPicoUsd +
    tokens.cacheWrite * rates.cacheWritePicoUsd +
    tokens.output * rates.outputPicoUsd +
    tokens.reasoning * rates.reasoningPicoUsd;
  // All terms are ≥ 0: a sum below 2^53 was exact at every step. Larger ones are counted in BigInt.
  if (picoUsd < Number.MAX_SAFE_INTEGER - picoPerNano) return Math.floor((picoUsd + picoPerNano / 2) / picoPerNano);
  const nanoUsd = (totalPicoUsd(partsOf(tokens, rates)) + BigInt(picoPerNano / 2)) / BigInt(picoPerNano);
  return nanoUsd <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(nanoUsd) : undefined;
}

/** The same, part by part. Undefined for a usage that cannot be counted. */
export function costParts(usage: Usage, prices: TokenPrices): CostParts | undefined {
  const tokens = pricedTokens(usage);
  return tokens && partsOf(tokens, ratesFor(usage, prices));
}

export function totalPicoUsd(parts: CostParts): bigint {
  return parts.inputPicoUsd + parts.cachedPicoUsd + parts.cacheWritePicoUsd + parts.outputPicoUsd + parts.reasoningPicoUsd;
}

function partsOf(tokens: PricedTokens, rates: TokenRates): CostParts {
  return {
    inputPicoUsd: BigInt(tokens.input) * BigInt(rates.inputPicoUsd),
    cachedPicoUsd: BigInt(tokens.cached) * BigInt(rates.cachedPicoUsd),
    cacheWritePicoUsd: BigInt(tokens.cacheWrite) * BigInt(rates.cacheWritePicoUsd),
    outputPicoUsd: BigInt(tokens.output) * BigInt(rates.outputPicoUsd),
    reasoningPicoUsd: BigInt(tokens.reasoning) * BigInt(rates.reasoningPicoUsd),
  };
}

/**
 * Cached tokens are part of the prompt's, reasoning of the completion's. A provider that reports more of a part than of
 * the whole is held to the whole: no token is charged that it did not report.
 */
function pricedTokens(usage: Usage): PricedTokens | undefined {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  for (const count of [promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens]) {
    if (!Number.isSafeInteger(count) || count < 0) return undefined;
  }
  const cached = Math.min(cachedTokens, promptTokens);
  const cacheWrite = Math.min(cacheWriteTokens, promptTokens - cached);
  const reasoning = Math.min(reasoningTokens, completionTokens);
  return { input: promptTokens - cached - cacheWrite, cached, cacheWrite, output: completionTokens - reasoning, reasoning };
}

function ratesFor({ promptTokens }: Usage, prices: TokenPrices): TokenRates {
  return prices.tiers.findLast((tier) => promptTokens > tier.abovePromptTokens) ?? prices;
}

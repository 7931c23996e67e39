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
  /** Sound and pictures, in the prompt and in the answer. */
  readonly mediaPicoUsd: bigint;
}

/** The tokens that count, by the price that they have. */
interface PricedTokens {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  /** Undefined for the most of calls, which have none of them. */
  readonly special: SpecialTokens | undefined;
}

interface SpecialTokens {
  readonly cacheWrite1h: number;
  readonly inputAudio: number;
  readonly inputImage: number;
  readonly outputAudio: number;
  readonly outputImage: number;
}

/**
 * What a call costs in whole nano-dollars (10⁻⁹ dollars), rounded once, half up. Undefined when the usage is none that can
 * be counted (negative, broken) or the sum passes 2^53 nano-dollars, nine million dollars: then it is not known.
 */
export function costNanoUsd(usage: Usage, prices: TokenPrices): number | undefined {
  const tokens = pricedTokens(usage);
  if (!tokens) return undefined;
  const rates = ratesFor(usage, prices);
  let picoUsd =
    tokens.input * rates.inputPicoUsd +
    tokens.cached * rates.cachedPicoUsd +
    tokens.cacheWrite * rates.cacheWritePicoUsd +
    tokens.output * rates.outputPicoUsd +
    tokens.reasoning * rates.reasoningPicoUsd;
  if (tokens.special) for (const [count, rate] of specialRates(tokens.special, rates)) picoUsd += count * rate;
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
  return (
    parts.inputPicoUsd + parts.cachedPicoUsd + parts.cacheWritePicoUsd + parts.outputPicoUsd + parts.reasoningPicoUsd + parts.mediaPicoUsd
  );
}

function partsOf(tokens: PricedTokens, rates: TokenRates): CostParts {
  const [written = 0n, ...media] = tokens.special
    ? specialRates(tokens.special, rates).map(([count, rate]) => BigInt(count) * BigInt(rate))
    : [];
  return {
    inputPicoUsd: BigInt(tokens.input) * BigInt(rates.inputPicoUsd),
    cachedPicoUsd: BigInt(tokens.cached) * BigInt(rates.cachedPicoUsd),
    cacheWritePicoUsd: BigInt(tokens.cacheWrite) * BigInt(rates.cacheWritePicoUsd) + written,
    outputPicoUsd: BigInt(tokens.output) * BigInt(rates.outputPicoUsd),
    reasoningPicoUsd: BigInt(tokens.reasoning) * BigInt(rates.reasoningPicoUsd),
    mediaPicoUsd: media.reduce((sum, each) => sum + each, 0n),
  };
}

/** What is written to the cache for an hour first, then the media. */
function specialRates(special: SpecialTokens, rates: TokenRates): readonly (readonly [tokens: number, picoUsd: number])[] {
  return [
    [special.cacheWrite1h, rates.cacheWrite1hPicoUsd ?? rates.cacheWritePicoUsd],
    [special.inputAudio, rates.inputAudioPicoUsd ?? rates.inputPicoUsd],
    [special.inputImage, rates.inputImagePicoUsd ?? rates.inputPicoUsd],
    [special.outputAudio, rates.outputAudioPicoUsd ?? rates.outputPicoUsd],
    [special.outputImage, rates.outputImagePicoUsd ?? rates.outputPicoUsd],
  ];
}

/**
 * Cached tokens are part of the prompt's, reasoning of the completion's. A provider that reports more of a part than of
 * the whole is held to the whole: no token is charged that it did not report, and each at one price: that of the cache before that of what it is.
 */
function pricedTokens(usage: Usage): PricedTokens | undefined {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  if (
    !(isCount(promptTokens) && isCount(completionTokens) && isCount(cachedTokens) && isCount(cacheWriteTokens) && isCount(reasoningTokens))
  )
    return undefined;
  const {
    cacheWrite1hTokens = 0,
    audioPromptTokens = 0,
    imagePromptTokens = 0,
    audioCompletionTokens = 0,
    imageCompletionTokens = 0,
  } = usage;
  const cached = Math.min(cachedTokens, promptTokens);
  const cacheWrite = Math.min(cacheWriteTokens, promptTokens - cached);
  const input = promptTokens - cached - cacheWrite;
  const reasoning = Math.min(reasoningTokens, completionTokens);
  const output = completionTokens - reasoning;
  if (
    cacheWrite1hTokens === 0 &&
    audioPromptTokens === 0 &&
    imagePromptTokens === 0 &&
    audioCompletionTokens === 0 &&
    imageCompletionTokens === 0
  )
    return { input, cached, cacheWrite, output, reasoning, special: undefined };
  if (
    !(isCount(cacheWrite1hTokens) && isCount(audioPromptTokens) && isCount(imagePromptTokens)) ||
    !(isCount(audioCompletionTokens) && isCount(imageCompletionTokens))
  )
    return undefined;
  const cacheWrite1h = Math.min(cacheWrite1hTokens, cacheWrite);
  const inputAudio = Math.min(audioPromptTokens, input);
  const inputImage = Math.min(imagePromptTokens, input - inputAudio);
  const outputAudio = Math.min(audioCompletionTokens, output);
  const outputImage = Math.min(imageCompletionTokens, output - outputAudio);
  return {
    input: input - inputAudio - inputImage,
    cached,
    cacheWrite: cacheWrite - cacheWrite1h,
    output: output - outputAudio - outputImage,
    reasoning,
    special: { cacheWrite1h, inputAudio, inputImage, outputAudio, outputImage },
  };
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}

function ratesFor({ promptTokens }: Usage, prices: TokenPrices): TokenRates {
  const { tiers } = prices;
  return tiers.length === 0 ? prices : (tiers.findLast((tier) => promptTokens > tier.abovePromptTokens) ?? prices);
}

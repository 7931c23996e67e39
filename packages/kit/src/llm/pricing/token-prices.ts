import type { ModelCost } from './price-file.ts';

/** Prices of one token, in whole pico-dollars (10⁻¹² dollars): a dollar per million tokens is 1,000,000 of them. */
export interface TokenPrices extends TokenRates {
  /** Higher prices of calls with long prompts, by ascending size. */
  readonly tiers: readonly (TokenRates & { /** Holds when the prompt has more tokens than this. */ readonly abovePromptTokens: number })[];
  /** The same for what is answered in a batch; undefined where it is not known. */
  readonly batch?: TokenPrices | undefined;
}

export interface TokenRates {
  /** A prompt token that was neither read from nor written to a cache. */
  readonly inputPicoUsd: number;
  readonly cachedPicoUsd: number;
  readonly cacheWritePicoUsd: number;
  /** A completion token that was no reasoning. */
  readonly outputPicoUsd: number;
  readonly reasoningPicoUsd: number;
  /** A prompt token that is kept in the cache for an hour. Default: `cacheWritePicoUsd`. */
  readonly cacheWrite1hPicoUsd?: number;
  /** Default: `inputPicoUsd`, as for pictures. */
  readonly inputAudioPicoUsd?: number;
  readonly inputImagePicoUsd?: number;
  /** Default: `outputPicoUsd`, as for pictures. */
  readonly outputAudioPicoUsd?: number;
  readonly outputImagePicoUsd?: number;
}

/** Known to cost nothing, which is not the same as unknown. */
export const freeOfCharge: TokenPrices = Object.freeze({
  inputPicoUsd: 0,
  cachedPicoUsd: 0,
  cacheWritePicoUsd: 0,
  outputPicoUsd: 0,
  reasoningPicoUsd: 0,
  tiers: Object.freeze([]),
});

/** A cost as dollars per million tokens, in pico-dollars per token. Throws a RangeError, with the field, for one that is not a price. */
export function readCost(cost: ModelCost): TokenPrices {
  const tiers = (cost.tiers ?? []).map((tier) => {
    const abovePromptTokens = tier.tier?.size;
    if (!Number.isSafeInteger(abovePromptTokens) || abovePromptTokens < 0)
      throw new RangeError(`tier.size must be a whole number of tokens, not ${show(abovePromptTokens)}`);
    return Object.freeze({ abovePromptTokens, ...readRates(tier) });
  });
  const standard = { ...readRates(cost), tiers: Object.freeze(tiers.toSorted((a, b) => a.abovePromptTokens - b.abovePromptTokens)) };
  const { batch } = cost;
  if (batch === undefined) return Object.freeze(standard);
  if (!(typeof batch === 'number' && batch >= 0 && batch <= 1))
    throw new RangeError(`batch must be a share from 0 to 1, not ${show(batch)}`);
  const share = <Rates extends object>(rates: Rates): Rates =>
    Object.fromEntries(
      Object.entries(rates).map(([name, pico]) => [name, name.endsWith('PicoUsd') ? Math.round((pico as number) * batch) : pico]),
    ) as Rates;
  const { tiers: standardTiers, ...rates } = standard;
  return Object.freeze({
    ...standard,
    batch: Object.freeze({ ...share(rates), tiers: Object.freeze(standardTiers.map((tier) => Object.freeze(share(tier)))) }),
  });
}

function readRates(cost: Omit<ModelCost, 'tiers' | 'batch'>): TokenRates {
  const inputPicoUsd = pico('input', cost.input);
  const outputPicoUsd = pico('output', cost.output);
  return {
    inputPicoUsd,
    outputPicoUsd,
    cachedPicoUsd: cost.cache_read === undefined ? inputPicoUsd : pico('cache_read', cost.cache_read),
    cacheWritePicoUsd: cost.cache_write === undefined ? inputPicoUsd : pico('cache_write', cost.cache_write),
    reasoningPicoUsd: cost.reasoning === undefined ? outputPicoUsd : pico('reasoning', cost.reasoning),
    // Only where they differ: most prices are few numbers.
    ...(cost.cache_write_1h !== undefined && { cacheWrite1hPicoUsd: pico('cache_write_1h', cost.cache_write_1h) }),
    ...(cost.input_audio !== undefined && { inputAudioPicoUsd: pico('input_audio', cost.input_audio) }),
    ...(cost.input_image !== undefined && { inputImagePicoUsd: pico('input_image', cost.input_image) }),
    ...(cost.output_audio !== undefined && { outputAudioPicoUsd: pico('output_audio', cost.output_audio) }),
    ...(cost.output_image !== undefined && { outputImagePicoUsd: pico('output_image', cost.output_image) }),
  };
}

/** A million dollars per million tokens: beyond any price, and far from where products with token counts lose precision. */
const maxDollarsPerMillion = 1_000_000;

function pico(field: string, dollarsPerMillion: number): number {
  if (!(typeof dollarsPerMillion === 'number' && dollarsPerMillion >= 0 && dollarsPerMillion <= maxDollarsPerMillion)) {
    throw new RangeError(`${field} must be dollars per million tokens, 0 or more, not ${show(dollarsPerMillion)}`);
  }
  const scaled = dollarsPerMillion * 1_000_000;
  const whole = Math.round(scaled);
  // 0.1 is no binary fraction: a hair off a whole number is rounding, more is a price finer than a pico-dollar.
  if (Math.abs(scaled - whole) > Math.max(1e-6, scaled * 1e-12))
    throw new RangeError(`${field} is finer than a pico-dollar a token: ${dollarsPerMillion}`);
  return whole;
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Usage } from '../spec/index.ts';
import { costNanoUsd, createPriceBook, mostCostNanoUsd, type TokenPrices } from './index.ts';

const counts = fc.integer({ min: 0, max: 10_000_000 });
const rate = fc.integer({ min: 0, max: 150_000_000 });
const other = fc.option(rate, { nil: undefined });
const special = fc
  .record({
    cacheWrite1hPicoUsd: other,
    inputAudioPicoUsd: other,
    inputImagePicoUsd: other,
    outputAudioPicoUsd: other,
    outputImagePicoUsd: other,
  })
  .map((given) => Object.fromEntries(Object.entries(given).filter(([, pico]) => pico !== undefined)));
const plain = fc.record({ inputPicoUsd: rate, cachedPicoUsd: rate, cacheWritePicoUsd: rate, outputPicoUsd: rate, reasoningPicoUsd: rate });
const rates = fc.tuple(plain, special).map(([flat, more]) => ({ ...flat, ...more }));
const prices: fc.Arbitrary<TokenPrices> = fc
  .tuple(rates, fc.uniqueArray(fc.tuple(counts, rates), { maxLength: 3, selector: ([size]) => size }))
  .map(([flat, tiers]) => ({
    ...flat,
    tiers: tiers
      .map(([abovePromptTokens, tier]) => ({ abovePromptTokens, ...tier }))
      .toSorted((a, b) => a.abovePromptTokens - b.abovePromptTokens),
  }));
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** A use at most, and a usage within it; close to the bound often enough to find an error of one. */
const within = fc
  .tuple(counts, counts, share, share, counts, counts, counts)
  .map(([prompt, completion, p, c, cached, written, reasoning]) => {
    const usage: Usage = {
      promptTokens: p > 0.5 ? prompt : Math.floor(prompt * p),
      completionTokens: c > 0.5 ? completion : Math.floor(completion * c),
      cachedTokens: cached,
      cacheWriteTokens: written,
      reasoningTokens: reasoning,
      source: 'provider',
    };
    return { use: { promptTokens: prompt, completionTokens: completion }, usage };
  });

test('no usage within the bound costs more than the most, whatever its tokens are and in whichever tier it falls', () => {
  fc.assert(
    fc.property(within, prices, ({ use, usage }, price) => {
      expect(mostCostNanoUsd(use, price)!).toBeGreaterThanOrEqual(costNanoUsd(usage, price)!);
    }),
    { numRuns: 2_000 },
  );
});

test('the most is what one usage within the bound costs, but for its rounding', () => {
  fc.assert(
    fc.property(counts, counts, plain, (promptTokens, completionTokens, flat) => {
      const dearestPrompt = Math.max(flat.inputPicoUsd, flat.cachedPicoUsd, flat.cacheWritePicoUsd);
      const usage: Usage = {
        promptTokens,
        completionTokens,
        cachedTokens: flat.cachedPicoUsd === dearestPrompt ? promptTokens : 0,
        cacheWriteTokens: flat.cacheWritePicoUsd === dearestPrompt && flat.cachedPicoUsd !== dearestPrompt ? promptTokens : 0,
        reasoningTokens: flat.reasoningPicoUsd > flat.outputPicoUsd ? completionTokens : 0,
        source: 'provider',
      };
      const price = { ...flat, tiers: [] };
      expect(mostCostNanoUsd({ promptTokens, completionTokens }, price)! - costNanoUsd(usage, price)!).toBeLessThanOrEqual(1);
    }),
  );
});

test('a tier that is cheaper than the one below does not make a larger prompt the cheaper bound', () => {
  const flat = { inputPicoUsd: 10_000, cachedPicoUsd: 0, cacheWritePicoUsd: 0, outputPicoUsd: 10_000, reasoningPicoUsd: 0 };
  const price = { ...flat, tiers: [{ ...flat, inputPicoUsd: 1_000, outputPicoUsd: 1_000, abovePromptTokens: 100 }] };
  expect(mostCostNanoUsd({ promptTokens: 101, completionTokens: 1_000 }, price)).toBe(100 * 10 + 1_000 * 10);
});

test('what no safe integer holds is not known, and free is 0', () => {
  const dear = { inputPicoUsd: 1e12, cachedPicoUsd: 0, cacheWritePicoUsd: 0, outputPicoUsd: 0, reasoningPicoUsd: 0, tiers: [] };
  expect(mostCostNanoUsd({ promptTokens: 1e10, completionTokens: 0 }, dear)).toBeUndefined();
  expect(mostCostNanoUsd({ promptTokens: 1e6, completionTokens: 0 }, dear)).toBe(1e15);
  expect(mostCostNanoUsd({ promptTokens: 1e6, completionTokens: 1e6 }, { ...dear, inputPicoUsd: 0 })).toBe(0);
});

test('a family is bounded by its snapshots too, which a provider may serve in its name', () => {
  const book = createPriceBook({
    overrides: {
      openai: {
        tall: { cost: { input: 1, output: 1 }, limit: { context: 1_000, output: 100 } },
        'tall-2026-01-01': { cost: { input: 9, output: 1 } },
        'tall-mini': { cost: { input: 100, output: 100 } },
      },
    },
  });
  const { prices: all, limit } = book.boundsOf({ provider: 'openai', model: 'tall', at: 0 })!;
  expect(all.map(({ inputPicoUsd }) => inputPicoUsd)).toEqual([1_000_000, 9_000_000]);
  expect(limit).toEqual({ context: 1_000, output: 100 });
  expect(book.boundsOf({ provider: 'openai', model: 'tall-latest', at: 0 })!.prices).toHaveLength(2);
  expect(book.boundsOf({ provider: 'openai', model: 'nobody', at: 0 })).toBeUndefined();
});

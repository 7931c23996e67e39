import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Usage } from '../spec/index.ts';
import { costNanoUsd, costParts, createPriceBook, freeOfCharge, totalPicoUsd, type TokenPrices } from './index.ts';
import { readCost } from './token-prices.ts';

const none: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'provider' };
const used = (counts: Partial<Usage>): Usage => ({ ...none, ...counts });
const at = Date.UTC(2026, 9, 1);
const priceOf = (provider: string, model: string, when = at): TokenPrices => createPriceBook().priceOf({ provider, model, at: when })!;

const counts = fc.integer({ min: 0, max: 10_000_000 });
const usages: fc.Arbitrary<Usage> = fc.record({
  promptTokens: counts,
  completionTokens: counts,
  cachedTokens: counts,
  cacheWriteTokens: counts,
  reasoningTokens: counts,
  source: fc.constantFrom('provider', 'estimated'),
});
const rate = fc.integer({ min: 0, max: 150_000_000 });
const rates = fc.record({ inputPicoUsd: rate, cachedPicoUsd: rate, cacheWritePicoUsd: rate, outputPicoUsd: rate, reasoningPicoUsd: rate });
const flatPrices: fc.Arbitrary<TokenPrices> = rates.map((flat) => ({ ...flat, tiers: [] }));
const prices: fc.Arbitrary<TokenPrices> = fc.tuple(rates, fc.array(fc.tuple(counts, rates), { maxLength: 2 })).map(([flat, tiers]) => ({
  ...flat,
  tiers: tiers
    .map(([abovePromptTokens, tier]) => ({ abovePromptTokens, ...tier }))
    .toSorted((a, b) => a.abovePromptTokens - b.abovePromptTokens),
}));

describe('money is conserved', () => {
  test('the cost is the sum of its parts, rounded once and half up', () => {
    fc.assert(
      fc.property(usages, prices, (usage, price) => {
        const cost = costNanoUsd(usage, price)!;
        const exact = totalPicoUsd(costParts(usage, price)!);
        expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true);
        const over = BigInt(cost) * 1000n - exact;
        expect(over > -500n && over <= 500n).toBe(true);
      }),
    );
  });

  test('every token is charged at one price, and none twice', () => {
    fc.assert(
      fc.property(usages, fc.integer({ min: 1, max: 100_000_000 }), (usage, pico) => {
        const everywhere: TokenPrices = {
          inputPicoUsd: pico,
          cachedPicoUsd: pico,
          cacheWritePicoUsd: pico,
          outputPicoUsd: pico,
          reasoningPicoUsd: pico,
          tiers: [],
        };
        expect(totalPicoUsd(costParts(usage, everywhere)!)).toBe(BigInt(usage.promptTokens + usage.completionTokens) * BigInt(pico));
      }),
    );
  });

  test('more tokens never cost less, where no kind of token is cheaper than another of its sort', () => {
    fc.assert(
      fc.property(usages, flatPrices, counts, counts, (usage, price, prompt, completion) => {
        const more = { ...usage, promptTokens: usage.promptTokens + prompt, completionTokens: usage.completionTokens + completion };
        // Parts are held to the whole, so a larger whole may let more of a reported part count: keep them apart here.
        fc.pre(usage.cachedTokens + usage.cacheWriteTokens <= usage.promptTokens && usage.reasoningTokens <= usage.completionTokens);
        expect(costNanoUsd(more, price)!).toBeGreaterThanOrEqual(costNanoUsd(usage, price)!);
      }),
    );
  });

  test('calls rounded one by one are off by at most half a nano-dollar each', () => {
    fc.assert(
      fc.property(fc.array(usages, { minLength: 1, maxLength: 20 }), prices, (list, price) => {
        const rounded = list.reduce((sum, usage) => sum + BigInt(costNanoUsd(usage, price)!), 0n) * 1000n;
        const exact = list.reduce((sum, usage) => sum + totalPicoUsd(costParts(usage, price)!), 0n);
        const off = rounded > exact ? rounded - exact : exact - rounded;
        expect(off <= BigInt(list.length) * 500n).toBe(true);
      }),
    );
  });

  test('sums beyond 2^53 pico-dollars are exact too', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 40n }), fc.integer({ min: 1, max: 1_000_000_000_000 }), (tokens, pico) => {
        const price: TokenPrices = {
          inputPicoUsd: pico,
          cachedPicoUsd: pico,
          cacheWritePicoUsd: pico,
          outputPicoUsd: 0,
          reasoningPicoUsd: 0,
          tiers: [],
        };
        const exact = (tokens * BigInt(pico) + 500n) / 1000n;
        expect(costNanoUsd(used({ promptTokens: Number(tokens) }), price)).toBe(
          exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : undefined,
        );
      }),
    );
  });
});

describe('by hand', () => {
  test('gpt-4o-mini: 1,000 in of which 400 cached, 500 out', () => {
    // 600 × $0.15/M + 400 × $0.075/M + 500 × $0.60/M = $0.00009 + $0.00003 + $0.0003 = $0.00042
    const usage = used({ promptTokens: 1_000, cachedTokens: 400, completionTokens: 500 });
    expect(costNanoUsd(usage, priceOf('openai', 'gpt-4o-mini'))).toBe(420_000);
  });

  test('claude-opus-4-8: 10,000 in of which 2,000 written to and 5,000 read from the cache, 1,000 out', () => {
    // 3,000 × $5/M + 2,000 × $6.25/M + 5,000 × $0.50/M + 1,000 × $25/M = 0.015 + 0.0125 + 0.0025 + 0.025 = $0.055
    const usage = used({ promptTokens: 10_000, cacheWriteTokens: 2_000, cachedTokens: 5_000, completionTokens: 1_000 });
    expect(costNanoUsd(usage, priceOf('anthropic', 'claude-opus-4-8'))).toBe(55_000_000);
  });

  test('gemini-2.5-pro: the whole call is dearer from the first token beyond 200,000', () => {
    const price = priceOf('gemini', 'gemini-2.5-pro');
    // 200,000 × $1.25/M + 1,000 × $10/M = $0.26; 200,001 × $2.50/M + 1,000 × $15/M = $0.5150025
    expect(costNanoUsd(used({ promptTokens: 200_000, completionTokens: 1_000 }), price)).toBe(260_000_000);
    expect(costNanoUsd(used({ promptTokens: 200_001, completionTokens: 1_000 }), price)).toBe(515_002_500);
  });

  test('reasoning is part of the output, and costs what it costs where it has a price of its own', () => {
    const usage = used({ completionTokens: 1_000, reasoningTokens: 600 });
    expect(costNanoUsd(usage, priceOf('openai', 'o4-mini'))).toBe(4_400_000);
    expect(costNanoUsd(usage, readCost({ input: 1, output: 2, reasoning: 3 }))).toBe(400 * 2_000 + 600 * 3_000);
  });

  test('text-embedding-3-small: 3 tokens are 60 nano-dollars', () => {
    expect(costNanoUsd(used({ promptTokens: 3 }), priceOf('openai', 'text-embedding-3-small'))).toBe(60);
  });

  test('half a nano-dollar is rounded up, less is not', () => {
    expect(costNanoUsd(used({ promptTokens: 1 }), readCost({ input: 0.0005, output: 0 }))).toBe(1);
    expect(costNanoUsd(used({ promptTokens: 1 }), readCost({ input: 0.000499, output: 0 }))).toBe(0);
    // Rounded once a call, not once a token.
    expect(costNanoUsd(used({ promptTokens: 1_000 }), readCost({ input: 0.0005, output: 0 }))).toBe(500);
  });

  test('parts that a provider reports larger than the whole are held to the whole', () => {
    const price = readCost({ input: 10, output: 20, cache_read: 1, cache_write: 12 });
    expect(costNanoUsd(used({ promptTokens: 10, cachedTokens: 50, cacheWriteTokens: 50 }), price)).toBe(10_000);
    expect(costNanoUsd(used({ promptTokens: 10, cachedTokens: 4, cacheWriteTokens: 50 }), price)).toBe(4_000 + 6 * 12_000);
    expect(costNanoUsd(used({ completionTokens: 10, reasoningTokens: 50 }), price)).toBe(200_000);
  });
});

describe('tokens of other kinds', () => {
  const price = readCost({
    input: 1,
    output: 10,
    cache_read: 0.1,
    cache_write: 2,
    cache_write_1h: 4,
    input_audio: 30,
    output_audio: 60,
    input_image: 5,
    output_image: 50,
    batch: 0.5,
  });

  test('cost what they cost, and the others what is left of the whole', () => {
    // 100 in: 10 cached, 20 written (5 for an hour), 40 sound, 10 pictures, 20 text. 50 out: 5 reasoning, 15 sound, 10 pictures, 20 text.
    const usage = used({
      promptTokens: 100,
      cachedTokens: 10,
      cacheWriteTokens: 20,
      cacheWrite1hTokens: 5,
      audioPromptTokens: 40,
      imagePromptTokens: 10,
      completionTokens: 50,
      reasoningTokens: 5,
      audioCompletionTokens: 15,
      imageCompletionTokens: 10,
    });
    const pico = 10 * 0.1 + 15 * 2 + 5 * 4 + 40 * 30 + 10 * 5 + 20 * 1 + 5 * 10 + 15 * 60 + 10 * 50 + 20 * 10;
    expect(costNanoUsd(usage, price)).toBe(pico * 1_000);
    expect(totalPicoUsd(costParts(usage, price)!)).toBe(BigInt(pico * 1_000_000));
  });

  test('are held to the whole, and are no usage when they are no counts', () => {
    expect(costNanoUsd(used({ promptTokens: 10, audioPromptTokens: 50, imagePromptTokens: 50 }), price)).toBe(300_000);
    expect(costNanoUsd(used({ promptTokens: 10, cacheWrite1hTokens: 50 }), price)).toBe(10_000);
    expect(costNanoUsd(used({ promptTokens: 10, audioPromptTokens: -1 }), price)).toBeUndefined();
  });

  test('cost a share of it in a batch', () => {
    const usage = used({ promptTokens: 100, audioPromptTokens: 40, completionTokens: 50 });
    expect(costNanoUsd(usage, price.batch!)! * 2).toBe(costNanoUsd(usage, price));
    expect(readCost({ input: 1, output: 1 }).batch).toBeUndefined();
    expect(() => readCost({ input: 1, output: 1, batch: 1.5 })).toThrow(/batch must be a share/);
  });
});

describe('what cannot be known', () => {
  test('a usage that is none has no cost', () => {
    const price = readCost({ input: 1, output: 1 });
    for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(costNanoUsd(used({ promptTokens: count }), price)).toBeUndefined();
      expect(costParts(used({ completionTokens: count }), price)).toBeUndefined();
    }
  });

  test('a sum that no safe integer holds has none either', () => {
    expect(costNanoUsd(used({ promptTokens: Number.MAX_SAFE_INTEGER }), readCost({ input: 100, output: 1 }))).toBeUndefined();
  });

  test('free is known', () => {
    expect(costNanoUsd(used({ promptTokens: Number.MAX_SAFE_INTEGER, completionTokens: 5 }), freeOfCharge)).toBe(0);
  });
});

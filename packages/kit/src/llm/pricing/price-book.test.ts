import { describe, expect, test } from 'vitest';
import { createPriceBook, type PriceOverrides } from './index.ts';
import { shippedPrices } from './shipped-prices.ts';

const now = Date.UTC(2026, 9, 1);
const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const input = (provider: string, model: string, at = now, overrides: PriceOverrides = {}) =>
  createPriceBook({ overrides }).priceOf({ provider, model, at })?.inputPicoUsd;

describe('a price', () => {
  test('is found by its model, in pico-dollars per token', () => {
    expect(createPriceBook().priceOf({ provider: 'openai', model: 'gpt-4o-mini', at: now })).toEqual({
      inputPicoUsd: 150_000,
      cachedPicoUsd: 75_000,
      cacheWritePicoUsd: 150_000,
      outputPicoUsd: 600_000,
      reasoningPicoUsd: 600_000,
      tiers: [],
      batch: {
        inputPicoUsd: 75_000,
        cachedPicoUsd: 37_500,
        cacheWritePicoUsd: 75_000,
        outputPicoUsd: 300_000,
        reasoningPicoUsd: 300_000,
        tiers: [],
      },
    });
  });

  test.each([
    ['openai', 'gpt-4o-mini-2024-07-18', 150_000],
    ['openai', 'gpt-4.1-2025-04-14', 2_000_000],
    ['anthropic', 'claude-sonnet-4-5-20250929', 3_000_000],
    ['anthropic', 'claude-3-7-sonnet-latest', 3_000_000],
    ['gemini', 'models/gemini-2.5-flash', 300_000],
    ['gemini', 'gemini-2.0-flash-001', 100_000],
    ['mistral', 'mistral-large-latest', 500_000],
  ])('of a dated name is that of its family: %s %s', (provider, model, pico) => {
    expect(input(provider, model)).toBe(pico);
  });

  test('of a snapshot that is listed is its own', () => {
    expect(input('openai', 'gpt-4o-2024-05-13')).toBe(5_000_000);
    expect(input('openai', 'gpt-4o-2024-11-20')).toBe(2_500_000);
  });

  test.each([
    ['openai', 'gpt-99'],
    ['openai', 'ft:gpt-4o-mini-2024-07-18:acme::abc'],
    ['openai', 'gpt-4o-mini-turbo'],
    ['openai', 'claude-opus-4-8'],
    ['openai', 'constructor'],
    ['ollama', 'llama3'],
    ['azure', 'gpt-4o'],
    ['gemini', 'gemini-2.5-flash-preview-05-20'],
    ['mistral', 'mistral-large-2402'],
    ['__proto__', 'gpt-4o'],
  ])('that is not known is unknown, and not 0: %s %s', (provider, model) => {
    expect(createPriceBook().priceOf({ provider, model, at: now })).toBeUndefined();
  });

  test('of the sandbox is known to be 0, whatever the model', () => {
    expect(input('sandbox', 'demo?tokens=5')).toBe(0);
    expect(input('sandbox', 'anything')).toBe(0);
    expect(input('sandbox', 'dear', now, { sandbox: { dear: { cost: { input: 3, output: 3 } } } })).toBe(3_000_000);
  });
});

describe('a call keeps the price of its day', () => {
  test('o3 was cut on 10 June 2025, at midnight UTC', () => {
    expect(input('openai', 'o3', day('2025-06-10') - 1)).toBe(10_000_000);
    expect(input('openai', 'o3', day('2025-06-10'))).toBe(2_000_000);
  });

  test('before its first day a model has no price', () => {
    expect(input('openai', 'o3', day('2025-04-16') - 1)).toBeUndefined();
    expect(input('openai', 'o3', day('2025-04-16'))).toBe(10_000_000);
  });

  test('where a price ended and the next one is not known, it is unknown', () => {
    expect(input('openai', 'gpt-5.6-sol', day('2026-08-20'))).toBe(5_000_000);
    expect(input('openai', 'gpt-5.6-sol', day('2026-08-25'))).toBeUndefined();
    expect(input('openai', 'gpt-5.6-sol', day('2026-09-03'))).toBe(4_000_000);
  });

  test.each([
    ['2026-10-05T00:59:59Z', 220_000, 'Monday before the peak'],
    ['2026-10-05T01:00:00Z', 440_000, 'Monday, the first second of it'],
    ['2026-10-05T03:59:59Z', 440_000, 'Monday, its last'],
    ['2026-10-05T04:00:00Z', 220_000, 'Monday after it'],
    ['2026-10-09T09:30:00Z', 440_000, 'Friday, the second peak'],
    ['2026-10-10T09:30:00Z', 220_000, 'Saturday'],
    ['2026-10-11T02:00:00Z', 220_000, 'Sunday'],
  ])('a price of certain hours holds in them: %s is %i (%s)', (at, pico) => {
    expect(input('deepseek', 'deepseek-v4-flash', Date.parse(at))).toBe(pico);
  });
});

describe('overrides', () => {
  const overrides: PriceOverrides = {
    openai: { 'gpt-4o-mini': { cost: { input: 1, output: 2 } } },
    ollama: { llama3: { cost: { input: 0, output: 0 } } },
    azure: {
      mine: {
        cost: { input: 3, output: 4 },
        cost_since: '2026-06-01',
        earlier_costs: [{ since: '2026-01-01', cost: { input: 9, output: 9 } }],
      },
    },
  };

  test('win over what is shipped, for a family and its snapshots, and leave the others alone', () => {
    expect(input('openai', 'gpt-4o-mini', now, overrides)).toBe(1_000_000);
    expect(input('openai', 'gpt-4o-mini-2024-07-18', now, overrides)).toBe(1_000_000);
    expect(input('openai', 'gpt-4o-mini', 0, overrides)).toBe(1_000_000);
    expect(input('openai', 'gpt-4o', now, overrides)).toBe(2_500_000);
  });

  test('make a price known, 0 too, and may have a history', () => {
    expect(input('ollama', 'llama3', now, overrides)).toBe(0);
    expect(input('azure', 'mine', day('2026-05-31'), overrides)).toBe(9_000_000);
    expect(input('azure', 'mine', day('2026-06-01'), overrides)).toBe(3_000_000);
    expect(input('azure', 'mine', day('2025-12-31'), overrides)).toBeUndefined();
  });

  test('with faults are refused at construction, all in one list', () => {
    const bad = {
      openai: { a: { cost: { input: -1, output: 1 } }, b: { cost: { input: '5', output: 1 } }, c: { cost: { input: 1e-9, output: 1 } } },
      azure: {
        d: { cost: { input: 1, output: 1 }, cost_since: '2026-02-31' },
        e: { cost: { input: 1, output: 1 }, cost_since: '2026-01-01', earlier_costs: [{ since: '2026-01-01', cost: null }] },
        f: { cost: { input: 1, output: 1 }, earlier_costs: [{ since: '2026-01-01', cost: null }] },
        g: { cost: { input: 1, output: 1, tiers: [{ input: 1, output: 1 }] } },
        h: { cost: { input: 1, output: 1 }, cost_peak: { utc_hours: [[5, 3]], cost: { input: 1, output: 1 } } },
      },
    } as unknown as PriceOverrides;
    expect(() => createPriceBook({ overrides: bad })).toThrowError(
      expect.objectContaining({
        code: 'configuration_invalid',
        details: {
          fields: ['openai.a', 'openai.b', 'openai.c', 'azure.d', 'azure.e', 'azure.f', 'azure.g', 'azure.h'].map((path): unknown =>
            expect.objectContaining({ path }),
          ),
        },
      }),
    );
  });
});

describe('the shipped files', () => {
  test('name every model by its own id, and their providers by the kinds of the configuration', () => {
    expect(shippedPrices.map((file) => file.id)).toEqual(['anthropic', 'deepseek', 'gemini', 'mistral', 'openai']);
    for (const file of shippedPrices) {
      for (const [name, entry] of Object.entries(file.models)) expect((entry as { id?: string }).id).toBe(name);
    }
  });

  test('say since when each price holds', () => {
    for (const file of shippedPrices)
      for (const [name, entry] of Object.entries(file.models))
        expect([name, entry.cost_since]).toEqual([name, expect.stringMatching(/^20\d\d-\d\d-\d\d$/)]);
  });

  test('never ask more for reading a cache than for input, nor less in a larger tier', () => {
    const book = createPriceBook();
    for (const file of shippedPrices) {
      for (const model of Object.keys(file.models)) {
        const prices = book.priceOf({ provider: file.id, model, at: now });
        if (!prices) continue;
        expect(prices.cachedPicoUsd, model).toBeLessThanOrEqual(prices.inputPicoUsd);
        for (const tier of prices.tiers) {
          expect(tier.inputPicoUsd, model).toBeGreaterThan(prices.inputPicoUsd);
          expect(tier.outputPicoUsd, model).toBeGreaterThan(prices.outputPicoUsd);
        }
      }
    }
  });
});

describe('the id of a price', () => {
  const id = (overrides: PriceOverrides, model = 'm', at = now) =>
    createPriceBook({ overrides }).find({ provider: 'openai', model, at })?.id;

  test('is the same for the same price, however it is written, and another for every other', () => {
    const first = id({ openai: { m: { cost: { input: 1, output: 2, cache_read: 0.1 } } } });
    expect(first).toMatch(/^[\w-]{16}$/);
    expect(id({ openai: { m: { cost: { cache_read: 0.1, output: 2, input: 1 } } } })).toBe(first);
    expect(id({ openai: { m: { cost: { input: 1, output: 2, cache_read: 0.2 } } } })).not.toBe(first);
    expect(id({ openai: { m: { cost: { input: 1, output: 2, cache_read: 0.1 }, cost_since: '2026-01-01' } } })).not.toBe(first);
    expect(id({ openai: { n: { cost: { input: 1, output: 2, cache_read: 0.1 } } } }, 'n')).not.toBe(first);
  });

  test('leads to it in the list, which has every price of every time', () => {
    const book = createPriceBook({
      overrides: {
        openai: {
          m: {
            cost: { input: 2, output: 2 },
            cost_since: '2026-02-01',
            earlier_costs: [{ since: '2026-01-01', cost: { input: 1, output: 1 } }],
          },
        },
      },
    });
    const byId = new Map(book.list().map((price) => [price.id, price]));
    expect(byId.size).toBe(book.list().length);
    for (const at of [day('2026-01-15'), now]) {
      const price = book.find({ provider: 'openai', model: 'm', at })!;
      expect(byId.get(price.id)).toEqual(price);
    }
    expect(byId.get(book.find({ provider: 'sandbox', model: 'anything', at: now })!.id)).toMatchObject({ cost: { input: 0, output: 0 } });
    expect(byId.get(book.find({ provider: 'openai', model: 'gpt-4o-mini-2024-07-18', at: now })!.id)).toMatchObject({
      model: 'gpt-4o-mini',
      source: 'shipped',
    });
  });
});

describe('the limits of a model', () => {
  test('come with the package for every model that answers, and stay when its price is overridden', () => {
    for (const file of shippedPrices) {
      for (const [name, entry] of Object.entries(file.models)) {
        if (name.includes('embed')) continue;
        expect([name, entry.limit?.output]).toEqual([name, expect.any(Number)]);
        expect(entry.limit!.output).toBeLessThanOrEqual(entry.limit!.context);
      }
    }
    const overrides = { openai: { 'gpt-4o': { cost: { input: 1, output: 1 } } } };
    expect(createPriceBook({ overrides }).boundsOf({ provider: 'openai', model: 'gpt-4o-2024-08-06', at: now })?.limit).toEqual({
      context: 128_000,
      output: 16_384,
    });
  });
});

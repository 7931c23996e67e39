import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPriceBook } from '@holdfast/kit/llm/pricing';
import { isHoldfastError } from '@holdfast/kit/errors';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { parseYaml } from '../file/parse-yaml.ts';
import { loadConfiguration, printConfiguration, type Configuration, type ConfigurationFault } from '../index.ts';

function load(prices: string): Configuration {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-prices-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), `prices:\n${prices}`);
  return loadConfiguration({ env: {}, cwd });
}

function faultsOf(prices: string): readonly ConfigurationFault[] {
  try {
    load(prices);
  } catch (thrown) {
    if (isHoldfastError(thrown)) return (thrown.details as { faults: ConfigurationFault[] }).faults;
    throw thrown;
  }
  throw new Error('it was taken as valid');
}

const written = `
  openai:
    mine: { input: 0.5, output: 1.5 }
    vendor/model-1.5:
      - { since: 2026-01-01, input: 2.5, output: 10 }
      - { since: 2026-07-01, input: 2, output: 8, cacheRead: 0.1, cacheWrite: 2.5, cacheWrite1h: 4, reasoning: 9, inputAudio: 20, outputAudio: 40, inputImage: 3, outputImage: 30, batch: 0.5, contextTokens: 1000, outputTokens: 100, tiers: [{ aboveTokens: 200000, input: 4, output: 16 }] }
`;

test("the kit's price book takes them as they are, each from its day on", () => {
  const book = createPriceBook({ overrides: load(written).prices });
  const at = (model: string, day: string) => book.priceOf({ provider: 'openai', model, at: Date.parse(day) });
  expect(at('mine', '2020-01-01')).toMatchObject({ inputPicoUsd: 500_000, outputPicoUsd: 1_500_000, cachedPicoUsd: 500_000 });
  expect(at('vendor/model-1.5', '2025-12-31')).toBeUndefined();
  expect(at('vendor/model-1.5', '2026-06-30')).toMatchObject({ inputPicoUsd: 2_500_000 });
  expect(at('vendor/model-1.5', '2026-07-01')).toEqual({
    inputPicoUsd: 2_000_000,
    outputPicoUsd: 8_000_000,
    cachedPicoUsd: 100_000,
    cacheWritePicoUsd: 2_500_000,
    cacheWrite1hPicoUsd: 4_000_000,
    reasoningPicoUsd: 9_000_000,
    inputAudioPicoUsd: 20_000_000,
    outputAudioPicoUsd: 40_000_000,
    inputImagePicoUsd: 3_000_000,
    outputImagePicoUsd: 30_000_000,
    tiers: [expect.objectContaining({ abovePromptTokens: 200_000, inputPicoUsd: 4_000_000, outputPicoUsd: 16_000_000 })],
    batch: expect.objectContaining({ inputPicoUsd: 1_000_000, outputAudioPicoUsd: 20_000_000 }),
  });
  expect(book.boundsOf({ provider: 'openai', model: 'vendor/model-1.5', at: Date.parse('2026-07-01') })?.limit).toEqual({
    context: 1_000,
    output: 100,
  });
});

test('what is printed is what was written', () => {
  const { root } = parseYaml(printConfiguration(load(written)));
  expect((root as { prices: unknown }).prices).toEqual((parseYaml(`prices:\n${written}`).root as { prices: unknown }).prices);
});

test('no price that is taken here is refused by the price book, and none that is refused here would be lost', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ min: 0, max: 1_000_000, noNaN: true }),
        fc.integer({ min: 0, max: 1_000_000_000_000 }).map((pico) => pico / 1e6),
      ),
      (input) => {
        let taken = true;
        try {
          load(`  openai: { m: { input: ${JSON.stringify(input)}, output: 0 } }`);
        } catch {
          taken = false;
        }
        const asBook = () => createPriceBook({ overrides: { openai: { m: { cost: { input, output: 0 } } } } });
        if (taken) expect(asBook).not.toThrow();
        else expect(asBook).toThrow();
      },
    ),
    { numRuns: 40 },
  );
});

test.each([
  ['a batch that is dearer', 'openai: { m: { input: 1, output: 1, batch: 2 } }', /batch: expected a share from 0 to 1/],
  ['half a limit', 'openai: { m: { input: 1, output: 1, contextTokens: 5 } }', /contextTokens and outputTokens go together/],
  ['an unknown kind', 'opnai: { m: { input: 1, output: 1 } }', /Did you mean openai\?/],
  ['a kind that is no map', 'openai: 5', /expected a map of prices/],
  ['a price that is no map', 'openai: { m: 5 }', /expected a price such as/],
  ['an empty list', 'openai: { m: [] }', /expected a price such as/],
  ['no input', 'openai: { m: { output: 1 } }', /input is missing/],
  ['no output', 'openai: { m: { input: 1 } }', /output is missing/],
  ['a negative price', 'openai: { m: { input: -1, output: 1 } }', /input: expected dollars per million tokens.*received -1/],
  ['a price that is finer than a pico-dollar a token', 'openai: { m: { input: 0.00000001, output: 1 } }', /at most six decimals/],
  ['an unknown key', 'openai: { m: { input: 1, output: 1, cache_read: 1 } }', /Did you mean cacheRead\?/],
  ['a day that there is not', 'openai: { m: { since: 2026-02-31, input: 1, output: 1 } }', /since: expected a day/],
  [
    'several prices without days',
    'openai: { m: [{ since: 2026-01-01, input: 1, output: 1 }, { input: 2, output: 2 }] }',
    /m\[1\]: since is missing/,
  ],
  [
    'days that do not ascend',
    'openai: { m: [{ since: 2026-02-01, input: 1, output: 1 }, { since: 2026-01-01, input: 2, output: 2 }] }',
    /2026-01-01 does not come after 2026-02-01/,
  ],
  ['tiers that are no list', 'openai: { m: { input: 1, output: 1, tiers: 5 } }', /expected a list of 1 to 10 prices/],
  ['a tier without its size', 'openai: { m: { input: 1, output: 1, tiers: [{ input: 1, output: 1 }] } }', /aboveTokens is missing/],
  [
    'two tiers of one size',
    'openai: { m: { input: 1, output: 1, tiers: [{ aboveTokens: 5, input: 1, output: 1 }, { aboveTokens: 5, input: 2, output: 2 }] } }',
    /a tier above 5 tokens already/,
  ],
])('%s is a fault', (_, prices, line) => {
  const faults = faultsOf(`  ${prices}`);
  expect(faults).toHaveLength(1);
  expect(faults[0]!.where).toMatch(/^holdfast\.config\.yaml:2:/);
  expect(`${faults[0]!.setting}: ${faults[0]!.problem} ${faults[0]!.hint ?? ''}`).toMatch(line);
});

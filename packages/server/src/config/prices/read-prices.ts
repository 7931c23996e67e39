import type { ModelCost, ModelCostTier, ModelPriceEntry, ModelTokenLimit, PriceOverrides } from '@holdfast/kit/llm/pricing';
import { showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import { pathToText, type SettingPath } from '../file/index.ts';
import { nearestHint } from '../nearest.ts';
import { fileFault, fileSection, isFileMap, type FileMap, type Sources } from '../sources.ts';
import { aboveField, priceFields, rateFields, sinceField } from './price-fields.ts';

interface DatedCost {
  readonly since: string | undefined;
  readonly cost: ModelCost;
  readonly limit: ModelTokenLimit | undefined;
}

const maxPeriods = 100;
const maxTiers = 10;

/** Prices of the user's own, by kind of provider and model: what the kit's price book takes as overrides. */
export function readPrices(sources: Sources, kinds: readonly string[]): PriceOverrides {
  const overrides: Record<string, Record<string, ModelPriceEntry>> = {};
  for (const [kind, models] of Object.entries(fileSection(sources, 'prices'))) {
    const path = ['prices', kind];
    if (!kinds.includes(kind)) {
      fileFault(sources, path, 'prices stand by the kind of provider.', nearestHint(kind, kinds) ?? `Known kinds: ${kinds.join(', ')}.`);
    } else if (!isFileMap(models)) {
      fileFault(sources, path, 'expected a map of prices by the name of a model.');
    } else {
      const own: Record<string, ModelPriceEntry> = {};
      for (const [model, given] of Object.entries(models)) {
        const modelPath = [...path, model];
        sources.origins.set(pathToText(modelPath), { source: 'file', text: sources.file!.lineOf(modelPath) });
        const entry = readModel(sources, given, modelPath);
        if (entry !== undefined) own[model] = entry;
      }
      overrides[kind] = own;
    }
  }
  return overrides;
}

function readModel(sources: Sources, given: unknown, path: SettingPath): ModelPriceEntry | undefined {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0 || list.length > maxPeriods || !list.every(isFileMap)) {
    return void fileFault(
      sources,
      path,
      `expected a price such as { input: 2.5, output: 10 }, or a list of up to ${maxPeriods} of them with dates.`,
    );
  }
  const periods = list.map((map, index) =>
    readPeriod(sources, map as FileMap, Array.isArray(given) ? [...path, index] : path, list.length > 1),
  );
  if (!periods.every((period) => period !== undefined)) return undefined;
  for (const [index, { since }] of periods.entries()) {
    const before = periods[index - 1]?.since;
    if (since !== undefined && before !== undefined && since <= before) {
      fileFault(sources, [...path, index, 'since'], `the dates have to ascend, and ${since} does not come after ${before}.`);
    }
  }
  const { since, cost, limit } = periods.at(-1)!;
  const earlier = periods.slice(0, -1).map((period) => ({ since: period.since!, cost: period.cost }));
  return {
    cost,
    ...(since === undefined ? {} : { cost_since: since }),
    ...(earlier.length === 0 ? {} : { earlier_costs: earlier }),
    ...(limit === undefined ? {} : { limit }),
  };
}

function readPeriod(sources: Sources, map: FileMap, path: SettingPath, dated: boolean): DatedCost | undefined {
  refuseUnknown(sources, map, path, [...Object.keys(rateFields), ...Object.keys(priceFields), 'since', 'tiers']);
  const since = readField(sources, map, path, 'since', sinceField);
  if (dated && map['since'] === undefined) {
    fileFault(sources, path, 'since is missing: of several prices each needs its first day.');
    return undefined;
  }
  const cost = readRates(sources, map, path);
  const tiers = readTiers(sources, map['tiers'], [...path, 'tiers']);
  const batch = readField(sources, map, path, 'batch', priceFields.batch);
  const limit = readLimit(sources, map, path);
  if (cost === undefined || (dated && since === undefined)) return undefined;
  return { since, cost: { ...cost, ...(batch === undefined ? {} : { batch }), ...(tiers.length === 0 ? {} : { tiers }) }, limit };
}

function readLimit(sources: Sources, map: FileMap, path: SettingPath): ModelTokenLimit | undefined {
  const context = readField(sources, map, path, 'contextTokens', priceFields.contextTokens);
  const output = readField(sources, map, path, 'outputTokens', priceFields.outputTokens);
  // One alone would take the other from the package, which may know another model by this name.
  if ((map['contextTokens'] === undefined) !== (map['outputTokens'] === undefined))
    fileFault(sources, path, 'contextTokens and outputTokens go together.');
  return context === undefined || output === undefined ? undefined : { context, output };
}

function readTiers(sources: Sources, given: unknown, path: SettingPath): readonly ModelCostTier[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length === 0 || given.length > maxTiers || !given.every(isFileMap)) {
    fileFault(
      sources,
      path,
      `expected a list of 1 to ${maxTiers} prices such as { aboveTokens: 200000, input: 5, output: 20 }, received ${showReceived(given)}.`,
    );
    return [];
  }
  const tiers: ModelCostTier[] = [];
  const sizes = new Set<number>();
  for (const [index, map] of given.entries()) {
    const tierPath = [...path, index];
    refuseUnknown(sources, map, tierPath, [...Object.keys(rateFields), 'aboveTokens']);
    const size = readField(sources, map, tierPath, 'aboveTokens', aboveField);
    if (map['aboveTokens'] === undefined) fileFault(sources, tierPath, 'aboveTokens is missing.');
    const rates = readRates(sources, map, tierPath);
    if (size === undefined || rates === undefined) continue;
    if (sizes.has(size)) fileFault(sources, [...tierPath, 'aboveTokens'], `there is a tier above ${size} tokens already.`);
    sizes.add(size);
    tiers.push({ tier: { size }, ...rates });
  }
  return tiers;
}

function readRates(sources: Sources, map: FileMap, path: SettingPath): Omit<ModelCost, 'tiers' | 'batch'> | undefined {
  for (const name of ['input', 'output'] as const) {
    if (map[name] === undefined) fileFault(sources, path, `${name} is missing.`);
  }
  const rates = Object.fromEntries(
    Object.entries(rateFields).map(([name, field]) => [
      inBook[name as keyof typeof rateFields],
      readField(sources, map, path, name, field),
    ]),
  ) as Partial<Omit<ModelCost, 'tiers' | 'batch'>>;
  const { input, output } = rates;
  if (input === undefined || output === undefined) return undefined;
  return { ...Object.fromEntries(Object.entries(rates).filter(([, value]) => value !== undefined)), input, output };
}

/** The name of each rate in the price book. */
const inBook = {
  input: 'input',
  output: 'output',
  cacheRead: 'cache_read',
  cacheWrite: 'cache_write',
  cacheWrite1h: 'cache_write_1h',
  reasoning: 'reasoning',
  inputAudio: 'input_audio',
  outputAudio: 'output_audio',
  inputImage: 'input_image',
  outputImage: 'output_image',
} as const satisfies Record<keyof typeof rateFields, keyof ModelCost>;

function refuseUnknown(sources: Sources, map: FileMap, path: SettingPath, known: readonly string[]): void {
  refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map, path, known });
}

import { HoldfastError } from '../../errors/index.ts';
import { isSnapshotOf, modelNames } from './model-family.ts';
import type { ModelPriceEntry, ModelTokenLimit, PriceFile } from './price-file.ts';
import { readTimeline, type PriceTimeline } from './price-timeline.ts';
import { shippedPrices } from './shipped-prices.ts';
import { freeOfCharge, type TokenPrices } from './token-prices.ts';

/** Prices by provider and model, in the shape of models.dev's `cost`: `{ azure: { 'gpt-4o': { cost: { input: 2.5, output: 10 } } } }`. */
export type PriceOverrides = Readonly<Record<string, Readonly<Record<string, ModelPriceEntry>>>>;

export interface PriceBookOptions {
  /** Win over the shipped prices of the same provider and model, its whole history included. */
  readonly overrides?: PriceOverrides;
}

export interface PriceQuestion {
  /** The kind of provider: `openai`, `anthropic`, `gemini`, … */
  readonly provider: string;
  /** The model as the provider calls it; a dated name finds its family. */
  readonly model: string;
  /** When the call was made, in milliseconds since the Unix epoch. */
  readonly at: number;
}

export interface PriceBook {
  /** Undefined when the price is not known, which is never the same as free. */
  priceOf(question: PriceQuestion): TokenPrices | undefined;
  /** What bounds the cost of a call before it is made. Undefined when its price is not known. */
  boundsOf(question: PriceQuestion): PriceBounds | undefined;
}

export interface PriceBounds {
  /** Every price that such a call may turn out to have: of the model, and of the snapshots that a provider may serve in its name. At least one. */
  readonly prices: readonly TokenPrices[];
  /** Undefined when it is not known. */
  readonly limit: ModelTokenLimit | undefined;
}

/**
 * The prices that come with this package, with a date each, and the user's own. Standard prices for text: what a provider
 * adds or takes off for priority, batches, audio or a region is for an override.
 *
 * Throws `configuration_invalid`, with every override at fault.
 */
export function createPriceBook(options: PriceBookOptions = {}): PriceBook {
  const shipped = readFiles(shippedPrices);
  const own = readOverrides(options.overrides ?? {});

  function priceOf({ provider, model, at }: PriceQuestion): TokenPrices | undefined {
    const names = modelNames(model);
    // An override of the family must not lose to a shipped snapshot, nor one of a snapshot to the family.
    for (const prices of [own.get(provider), provider === 'sandbox' ? sandbox : shipped.get(provider)]) {
      for (const name of names) {
        const listed = prices?.get(name);
        if (listed) return listed.timeline.at(at);
      }
      if (prices === sandbox) return freeOfCharge;
    }
    return undefined;
  }

  function limitOf(provider: string, model: string): ModelTokenLimit | undefined {
    for (const prices of [own.get(provider), shipped.get(provider)]) {
      for (const name of modelNames(model)) {
        const limit = prices?.get(name)?.limit;
        if (limit) return limit;
      }
    }
    return undefined;
  }

  /** What does not change with the time of the call is found once a model: a call has no time to go through all names. */
  const families = new Map<string, { readonly snapshots: readonly string[]; readonly limit: ModelTokenLimit | undefined }>();

  function familyOf(provider: string, model: string) {
    const key = `${provider}\n${model}`;
    let family = families.get(key);
    if (family === undefined) {
      const listed = new Set([...(own.get(provider)?.keys() ?? []), ...(shipped.get(provider)?.keys() ?? [])]);
      family = { snapshots: [...listed].filter((name) => isSnapshotOf(name, model)), limit: limitOf(provider, model) };
      // Clients choose the names that pass through.
      if (families.size >= maxFamilies) families.clear();
      families.set(key, family);
    }
    return family;
  }

  return Object.freeze({
    priceOf,
    boundsOf({ provider, model, at }: PriceQuestion): PriceBounds | undefined {
      const price = priceOf({ provider, model, at });
      if (price === undefined) return undefined;
      const { snapshots, limit } = familyOf(provider, model);
      if (snapshots.length === 0) return { prices: [price], limit };
      const others = snapshots.map((name) => priceOf({ provider, model: name, at })).filter((each) => each !== undefined);
      return { prices: [price, ...others], limit };
    },
  });
}

const maxFamilies = 1_000;

interface ListedModel {
  readonly timeline: PriceTimeline;
  readonly limit: ModelTokenLimit | undefined;
}

type PricesByModel = ReadonlyMap<string, ListedModel>;

/** Whatever its models are called, the sandbox costs nothing. */
const sandbox: PricesByModel = new Map();

function readFiles(files: readonly PriceFile[]): ReadonlyMap<string, PricesByModel> {
  return new Map(files.map((file) => [file.id, new Map(Object.entries(file.models).map(([model, entry]) => [model, readModel(entry)]))]));
}

function readOverrides(overrides: PriceOverrides): ReadonlyMap<string, PricesByModel> {
  const fields: { path: string; message: string }[] = [];
  const byProvider = new Map<string, PricesByModel>();
  for (const [provider, models] of Object.entries(overrides)) {
    const byModel = new Map<string, ListedModel>();
    for (const [model, entry] of Object.entries(models)) {
      try {
        byModel.set(model, readModel(entry));
      } catch (error) {
        fields.push({ path: `${provider}.${model}`, message: (error as Error).message });
      }
    }
    byProvider.set(provider, byModel);
  }
  if (fields.length > 0) {
    const list = fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new HoldfastError('configuration_invalid', { detail: `prices have faults: ${list}`, details: { fields } });
  }
  return byProvider;
}

function readModel(entry: ModelPriceEntry): ListedModel {
  const { limit } = entry;
  for (const field of ['context', 'output'] as const) {
    const tokens = limit?.[field];
    if (limit && !(Number.isSafeInteger(tokens) && tokens! > 0)) {
      throw new RangeError(`limit.${field} must be a whole number of tokens, not ${String(tokens)}`);
    }
  }
  return { timeline: readTimeline(entry), limit };
}

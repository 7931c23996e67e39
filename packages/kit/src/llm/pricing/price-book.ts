import { HoldfastError } from '../../errors/index.ts';
import { datePrice, type DatedPrice, type PriceOrigin } from './dated-price.ts';
import { isSnapshotOf, modelNames } from './model-family.ts';
import type { ModelPriceEntry, ModelTokenLimit, PriceFile } from './price-file.ts';
import { readTimeline, type PriceTimeline } from './price-timeline.ts';
import { shippedPrices } from './shipped-prices.ts';
import type { TokenPrices } from './token-prices.ts';

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
  /** The price, and which of the list it is. Undefined when it is not known, which is never the same as free. */
  find(question: PriceQuestion): DatedPrice | undefined;
  /** The same, the numbers alone. */
  priceOf(question: PriceQuestion): TokenPrices | undefined;
  /** What bounds the cost of a call before it is made. Undefined when its price is not known. */
  boundsOf(question: PriceQuestion): PriceBounds | undefined;
  /** Every price of every time, overrides first: what has to be kept for rows to be priced again when lists have changed. */
  list(): readonly DatedPrice[];
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

  /** An override of the family must not lose to a shipped snapshot, nor one of a snapshot to the family. */
  function listed(provider: string, model: string): ListedModel | undefined {
    const names = modelNames(model);
    for (const models of [own.get(provider), shipped.get(provider)]) {
      for (const name of names) {
        const found = models?.get(name);
        if (found) return found;
      }
    }
    return undefined;
  }

  function resolve(provider: string, model: string): ResolvedModel {
    const names = new Set([...(own.get(provider)?.keys() ?? []), ...(shipped.get(provider)?.keys() ?? [])]);
    const shippedLimit = modelNames(model)
      .map((name) => shipped.get(provider)?.get(name)?.limit)
      .find((limit) => limit !== undefined);
    const found = listed(provider, model);
    return {
      timeline: found?.timeline,
      // A price of one's own says nothing of what the model takes.
      limit: found?.limit ?? shippedLimit,
      snapshots: [...names].filter((name) => isSnapshotOf(name, model)).map((name) => listed(provider, name)!.timeline),
    };
  }

  /** What does not change with the time of the call is found once a model: a call has no time to go through all names. */
  const resolved = new Map<string, ResolvedModel>();

  function modelOf(provider: string, model: string): ResolvedModel {
    const key = `${provider}\n${model}`;
    let found = resolved.get(key);
    if (found === undefined) {
      found = resolve(provider, model);
      // Clients choose the names that pass through.
      if (resolved.size >= maxResolved) resolved.clear();
      resolved.set(key, found);
    }
    return found;
  }

  function find({ provider, model, at }: PriceQuestion): DatedPrice | undefined {
    const { timeline } = modelOf(provider, model);
    // A timeline that has no price yet is an answer: nothing else is looked at then.
    return timeline ? timeline.at(at) : provider === 'sandbox' ? sandbox : undefined;
  }

  return Object.freeze({
    find,
    priceOf: (question: PriceQuestion) => find(question)?.prices,
    boundsOf(question: PriceQuestion): PriceBounds | undefined {
      const price = find(question)?.prices;
      if (price === undefined) return undefined;
      const { snapshots, limit } = modelOf(question.provider, question.model);
      if (snapshots.length === 0) return { prices: [price], limit };
      const others = snapshots.map((timeline) => timeline.at(question.at)?.prices).filter((each) => each !== undefined);
      return { prices: [price, ...others], limit };
    },
    list: () => [
      ...[own, shipped].flatMap((from) =>
        [...from.values()].flatMap((models) => [...models.values()].flatMap(({ timeline }) => timeline.all)),
      ),
      sandbox,
    ],
  });
}

const maxResolved = 1_000;

interface ListedModel {
  readonly timeline: PriceTimeline;
  readonly limit: ModelTokenLimit | undefined;
}

interface ResolvedModel {
  readonly timeline: PriceTimeline | undefined;
  readonly snapshots: readonly PriceTimeline[];
  readonly limit: ModelTokenLimit | undefined;
}

type PricesByModel = ReadonlyMap<string, ListedModel>;

/** Whatever its models are called, the sandbox costs nothing. */
const sandbox = datePrice({ provider: 'sandbox', model: '*', source: 'shipped' }, undefined, false, { input: 0, output: 0 });

function readFiles(files: readonly PriceFile[]): ReadonlyMap<string, PricesByModel> {
  return new Map(
    files.map((file) => [
      file.id,
      new Map(
        Object.entries(file.models).map(([model, entry]) => [model, readModel(entry, { provider: file.id, model, source: 'shipped' })]),
      ),
    ]),
  );
}

function readOverrides(overrides: PriceOverrides): ReadonlyMap<string, PricesByModel> {
  const fields: { path: string; message: string }[] = [];
  const byProvider = new Map<string, PricesByModel>();
  for (const [provider, models] of Object.entries(overrides)) {
    const byModel = new Map<string, ListedModel>();
    for (const [model, entry] of Object.entries(models)) {
      try {
        byModel.set(model, readModel(entry, { provider, model, source: 'override' }));
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

function readModel(entry: ModelPriceEntry, origin: PriceOrigin): ListedModel {
  const { limit } = entry;
  for (const field of ['context', 'output'] as const) {
    const tokens = limit?.[field];
    if (limit && !(Number.isSafeInteger(tokens) && tokens! > 0)) {
      throw new RangeError(`limit.${field} must be a whole number of tokens, not ${String(tokens)}`);
    }
  }
  return { timeline: readTimeline(entry, origin), limit };
}

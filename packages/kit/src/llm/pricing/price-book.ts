import { HoldfastError } from '../../errors/index.ts';
import { modelNames } from './model-family.ts';
import type { ModelPriceEntry, PriceFile } from './price-file.ts';
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
  return Object.freeze({
    priceOf({ provider, model, at }: PriceQuestion): TokenPrices | undefined {
      const names = modelNames(model);
      // An override of the family must not lose to a shipped snapshot, nor one of a snapshot to the family.
      for (const prices of [own.get(provider), provider === 'sandbox' ? sandbox : shipped.get(provider)]) {
        for (const name of names) {
          const timeline = prices?.get(name);
          if (timeline) return timeline.at(at);
        }
        if (prices === sandbox) return freeOfCharge;
      }
      return undefined;
    },
  });
}

type PricesByModel = ReadonlyMap<string, PriceTimeline>;

/** Whatever its models are called, the sandbox costs nothing. */
const sandbox: PricesByModel = new Map();

function readFiles(files: readonly PriceFile[]): ReadonlyMap<string, PricesByModel> {
  return new Map(
    files.map((file) => [file.id, new Map(Object.entries(file.models).map(([model, entry]) => [model, readTimeline(entry)]))]),
  );
}

function readOverrides(overrides: PriceOverrides): ReadonlyMap<string, PricesByModel> {
  const fields: { path: string; message: string }[] = [];
  const byProvider = new Map<string, PricesByModel>();
  for (const [provider, models] of Object.entries(overrides)) {
    const byModel = new Map<string, PriceTimeline>();
    for (const [model, entry] of Object.entries(models)) {
      try {
        byModel.set(model, readTimeline(entry));
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

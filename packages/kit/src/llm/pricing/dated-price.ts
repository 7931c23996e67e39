import { createHash } from 'node:crypto';
import type { ModelCost } from './price-file.ts';
import { readCost, type TokenPrices } from './token-prices.ts';

/** One price of one model, as it is listed: what a row of a ledger can point to. */
export interface DatedPrice {
  /**
   * 16 characters that are made of everything below but `source`: the same price has the same id in every process and release, and
   * another one never has it.
   */
  readonly id: string;
  /** The kind of provider. */
  readonly provider: string;
  /** The name under which it is listed: that of a family, where a snapshot has none of its own. */
  readonly model: string;
  /** First day on which it holds, in UTC; undefined for always. */
  readonly since: string | undefined;
  /** Holds at some hours only. */
  readonly peak: boolean;
  /** Whether it came with the package or was given as an override. */
  readonly source: 'shipped' | 'override';
  /** As it was written, in dollars per million tokens. */
  readonly cost: ModelCost;
  readonly prices: TokenPrices;
}

export type PriceOrigin = Pick<DatedPrice, 'provider' | 'model' | 'source'>;

/** Throws a RangeError, with the field, for a cost that is not a price. */
export function datePrice(origin: PriceOrigin, since: string | undefined, peak: boolean, cost: ModelCost): DatedPrice {
  const { provider, model } = origin;
  const text = JSON.stringify([provider, model, since ?? null, peak, sorted(cost)]);
  const id = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  return Object.freeze({ ...origin, id, since, peak, cost, prices: readCost(cost) });
}

/** The same members in one order, however they were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

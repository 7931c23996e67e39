import { defineChannel } from '../events/index.ts';
import type { Decision } from './decision.ts';

/** Every step of a limiter, let through or refused. `buckets` says which refused, those in shadow included. Not for `peek`. */
export interface TakeDecided {
  readonly decision: Decision;
}
export const takeDecided = defineChannel<TakeDecided>('holdfast:ratelimit:take-decided');

/** A bucket that was in use was forgotten because the memory driver was full: its key may take again what it took. */
export interface BucketEvicted {
  readonly policy: string;
  readonly key: string;
}
export const bucketEvicted = defineChannel<BucketEvicted>('holdfast:ratelimit:bucket-evicted');

/** The shared store cannot be reached: from here on this instance limits alone, by its share. */
export interface StoreLost {
  readonly instanceId: string;
  /** How many instances share the limits, as last known. */
  readonly instances: number;
  readonly error: unknown;
}
export const storeLost = defineChannel<StoreLost>('holdfast:ratelimit:store-lost');

/** The shared store decides again. */
export interface StoreRecovered {
  readonly instanceId: string;
  readonly instances: number;
  /** How long this instance limited alone. */
  readonly awayMs: number;
}
export const storeRecovered = defineChannel<StoreRecovered>('holdfast:ratelimit:store-recovered');

/** What was given back or taken more did not reach the shared store. What was reserved drains; leases end by themselves. */
export interface SettlementLost {
  readonly policies: readonly string[];
  readonly error: unknown;
}
export const settlementLost = defineChannel<SettlementLost>('holdfast:ratelimit:settlement-lost');

import { defineChannel } from '../../events/index.ts';
import type { Ban } from './ban.ts';

/** A ban that this instance made. Not for those that others made, so that one that writes them down writes each once. */
export interface BanAdded {
  readonly ban: Ban;
}
export const banAdded = defineChannel<BanAdded>('holdfast:security:ban-added');

/** A ban that a person lifted at this instance. A ban that ends by itself is not announced: its end was known when it began. */
export interface BanLifted {
  readonly ban: Ban;
  /** Who, as an id of the user or key; null when it was not said. */
  readonly by: string | null;
}
export const banLifted = defineChannel<BanLifted>('holdfast:security:ban-lifted');

/** The book was full of automatic bans, and one of them was forgotten before its time for a new one. */
export interface BanEvicted {
  readonly ban: Ban;
}
export const banEvicted = defineChannel<BanEvicted>('holdfast:security:ban-evicted');

/** The store of bans cannot be reached. This instance goes on by what it knows, and bans by itself until the store is back. */
export interface BanStoreLost {
  readonly error: unknown;
}
export const banStoreLost = defineChannel<BanStoreLost>('holdfast:security:ban-store-lost');

/** The store has all bans of this instance, and this instance those of the store. */
export interface BanStoreRecovered {
  readonly awayMs: number;
}
export const banStoreRecovered = defineChannel<BanStoreRecovered>('holdfast:security:ban-store-recovered');

export {
  banAdded,
  banEvicted,
  banLifted,
  banStoreLost,
  banStoreRecovered,
  type BanAdded,
  type BanEvicted,
  type BanLifted,
  type BanStoreLost,
  type BanStoreRecovered,
} from './announcements.ts';
export { isInForce, standingBan, type Ban } from './ban.ts';
export { banBookDefaults, createBanBook, type BanBook, type BanBookOptions } from './ban-book.ts';
export type { BanStore, BanStoreListener } from './ban-store.ts';
export type { BanPage, ListBansOptions } from './list-bans.ts';
export type { ManualBan } from './manual-ban.ts';
export { banDurationDefaults, type BanDurations } from './options.ts';
export { createMemoryBanStore } from './drivers/index.ts';

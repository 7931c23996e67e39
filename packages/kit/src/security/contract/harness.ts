import type { BanStore } from '../bans/index.ts';

/** What the cases need of a driver. */
export interface BanStoreHarness {
  /** The store as another instance of the fleet has it: a connection of its own, the same data. */
  connect(): BanStore | Promise<BanStore>;
  /** Resolves when whoever subscribed has heard of all that was written before. */
  delivered(): void | Promise<void>;
  /** Deletes what the case has written, and ends what was begun for it. */
  close(): void | Promise<void>;
}

export interface BanStoreContractCase {
  readonly name: string;
  run(): Promise<void>;
}

import type { BreakerStore } from '../breaker/index.ts';

/** What the cases need of a driver. */
export interface BreakerStoreHarness {
  /** The store as another instance of the fleet has it: a client of its own, the same data. */
  connect(): BreakerStore;
  /** Lets so many milliseconds pass, on whatever clock the store goes by. */
  advance(elapsedMs: number): void | Promise<void>;
  /** Resolves when whoever watches has heard of all that was published before. */
  delivered(): Promise<void>;
  /** Deletes what the case has written, and ends what was begun for it. */
  close(): void | Promise<void>;
}

export interface BreakerStoreContractCase {
  readonly name: string;
  run(): Promise<void>;
}

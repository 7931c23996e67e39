import type { AlertStore } from '../store/index.ts';

/** What the cases need of a store. */
export interface AlertStoreHarness {
  /** The store as another instance has it: a connection of its own, the same data. */
  connect(): AlertStore | Promise<AlertStore>;
  /** Lets so much time pass on the store's own clock. */
  advance(elapsedMs: number): void | Promise<void>;
  /** Deletes what the case has written, and ends what was begun for it. */
  close(): void | Promise<void>;
}

export interface AlertStoreContractCase {
  readonly name: string;
  run(): Promise<void>;
}

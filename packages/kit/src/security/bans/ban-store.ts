import type { Ban } from './ban.ts';

export type Awaitable<T> = T | Promise<T>;

/**
 * What a store tells of its changes, whoever made them, one's own included: of each range the states in their order, the last of all. States
 * that were replaced before they were told MAY be left out.
 */
export interface BanStoreListener {
  /** This is the ban of its range from now on. */
  onAdded(ban: Ban): void;
  /** There is no ban of this range any more. */
  onLifted(range: string): void;
  /** Changes may have been missed: whoever listens loads again. A store that cannot push calls this as often as news shall spread. */
  onMissed(): void;
}

/**
 * Where bans outlive the process and are shared by all instances. `banStoreContract` of `@holdfast/kit/security/contract` says all of it in
 * tests. A method that fails rejects, and may have done its work all the same when only the answer was lost; one that hangs MUST reject after a
 * while. Repeating any of them is safe.
 */
export interface BanStore {
  /** The bans without an end, and those that end after `endedAfterMs` (Unix milliseconds), which may lie in the past. */
  load(endedAfterMs: number): Awaitable<readonly Ban[]>;
  /**
   * Keeps each ban unless `standingBan` of it and the one that is there is the latter. Returns those that stand, in the same order. No range comes twice.
   * `context` is what whoever bans gave to the book, for a store that keeps account of who does what; of a detector's ban there is none.
   */
  put(bans: readonly Ban[], context?: unknown): Awaitable<readonly Ban[]>;
  /** Removes the ban of a range, and with it the memory of those before. Returns what it removed, in force or not. */
  lift(range: string, context?: unknown): Awaitable<Ban | undefined>;
  /** Removes what ended at or before that time; nobody needs to hear of it. Returns how many. */
  prune(endedBeforeMs: number): Awaitable<number>;
  /** Hears of every change from when it resolves. Returns the end of it. */
  subscribe(listener: BanStoreListener): Awaitable<() => Awaitable<void>>;
}

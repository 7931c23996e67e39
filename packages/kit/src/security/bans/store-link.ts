import type { Clock, Timer } from '../../time/index.ts';
import { banStoreLost, banStoreRecovered } from './announcements.ts';
import { standingBan, type Ban } from './ban.ts';
import type { Awaitable, BanStore } from './ban-store.ts';

/** What the link does to the bans in memory. */
export interface LinkedBans {
  /** The store says that this stands. */
  stands(ban: Ban): void;
  lifted(range: string): void;
  /** All that the store has: what is not among them, nor still to be written, is gone. */
  replaced(bans: readonly Ban[], unsaved: ReadonlyMap<string, Ban>): void;
  /** From when on bans that ended still matter, in Unix milliseconds. */
  rememberedFromMs(): number;
}

interface Options {
  readonly store: BanStore;
  readonly clock: Clock;
  readonly retryMs: number;
  readonly bans: LinkedBans;
}

/** How long closing waits for what is being written, twice at most. */
const longestCloseMs = 2_000;

/** Bans that are written in one step; more wait for the next. */
const batchSize = 500;

type Change = { readonly ban: Ban } | { readonly lifted: string };

/**
 * Keeps memory and store the same: writes what this instance decided in the background, one step at a time and again until it succeeds,
 * and takes in what others did. Nothing on the path of a request waits for it.
 */
export class StoreLink {
  readonly #store: BanStore;
  readonly #clock: Clock;
  readonly #retryMs: number;
  readonly #bans: LinkedBans;
  /** By range, so that it is bounded by the bans in memory. */
  readonly #unsaved = new Map<string, Ban>();
  /** Ends when all writes so far have: a ban must not reach the store after the lift that was to end it. */
  #writes: Promise<unknown> = Promise.resolve();
  #flushing: Promise<void> | undefined;
  /** What was heard while a load was under way: the load may have looked before or after it. */
  #heard: Change[] | undefined;
  /** The last news of each range since the write under way began. */
  #heardInTurn: Map<string, Change> | undefined;
  #stale = false;
  #loading: Promise<void> | undefined;
  #unsubscribe: (() => Awaitable<void>) | undefined;
  #timer: Timer | undefined;
  #lostAtMs: number | undefined;
  #closed = false;

  constructor({ store, clock, retryMs, bans }: Options) {
    this.#store = store;
    this.#clock = clock;
    this.#retryMs = retryMs;
    this.#bans = bans;
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#store.subscribe({
      onAdded: (ban) => this.#hear({ ban }),
      onLifted: (lifted) => this.#hear({ lifted }),
      onMissed: () => void this.#reload(),
    });
    try {
      await this.#load();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Writes it soon. */
  save(ban: Ban): void {
    this.#unsaved.set(ban.range, ban);
    this.#flush();
  }

  forget(range: string): void {
    this.#unsaved.delete(range);
  }

  /** Writes it now, and rejects when that fails. */
  put(ban: Ban, context: unknown): Promise<Ban> {
    return this.#inTurn(async () => {
      const [standing] = await this.#store.put([ban], context);
      this.#unsaved.delete(ban.range);
      this.#answered(ban.range, { ban: standing! });
      return standing!;
    });
  }

  lift(range: string, context: unknown): Promise<Ban | undefined> {
    return this.#inTurn(async () => {
      const removed = await this.#store.lift(range, context);
      this.#unsaved.delete(range);
      this.#answered(range, { lifted: range });
      return removed;
    });
  }

  prune(endedBeforeMs: number): void {
    if (this.#lostAtMs === undefined) void this.#inTurn(async () => this.#store.prune(endedBeforeMs)).catch(this.#lost);
  }

  /** Writes what waits, unless the store is away. */
  async close(): Promise<void> {
    await this.#inTime(this.#flushing);
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#unsubscribe?.();
    await this.#inTime(this.#writes);
  }

  /** A store that says nothing must not keep a process from ending. */
  async #inTime(work: Promise<unknown> | undefined): Promise<void> {
    if (work === undefined) return;
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => (timer = this.#clock.setTimeout(resolve, longestCloseMs, true)));
    await Promise.race([work, late]);
    timer?.cancel();
  }

  #inTurn<T>(write: () => Promise<T>): Promise<T> {
    const done = this.#writes.then(() => {
      this.#heardInTurn = new Map();
      return write().finally(() => (this.#heardInTurn = undefined));
    });
    this.#writes = done.catch(() => {});
    return done;
  }

  #flush(): void {
    if (this.#closed || this.#timer) return;
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = undefined));
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#unsaved.size > 0 && !this.#closed) await this.#inTurn(() => this.#writeBatch());
      // A load that is under way tells by itself when it succeeds.
      if (this.#loading === undefined) this.#recovered();
    } catch (error) {
      this.#lost(error);
    }
  }

  async #writeBatch(): Promise<void> {
    const batch: Ban[] = [];
    for (const ban of this.#unsaved.values()) if (batch.push(ban) === batchSize) break;
    // A lift that came before in the turn may have taken them all.
    if (batch.length === 0) return;
    const standing = await this.#store.put(batch);
    for (const [at, ban] of batch.entries()) {
      // Whatever was decided meanwhile is newer than the answer.
      if (this.#unsaved.get(ban.range) !== ban) continue;
      this.#unsaved.delete(ban.range);
      this.#answered(ban.range, { ban: standing[at]! });
    }
  }

  /** An answer may come after the news of what others did later: then the news are newer, and tell of this change too. */
  #answered(range: string, change: Change): void {
    this.#hear(this.#heardInTurn?.get(range) ?? change);
  }

  #hear(change: Change): void {
    if (this.#closed) return;
    this.#heardInTurn?.set('ban' in change ? change.ban.range : change.lifted, change);
    this.#heard?.push(change);
    this.#apply(change);
  }

  #apply(change: Change): void {
    if ('ban' in change) {
      // What is not written yet will stand once it is: late news of an older ban must not open a gap.
      const own = this.#unsaved.get(change.ban.range);
      this.#bans.stands(own === undefined ? change.ban : standingBan(change.ban, own));
    } else {
      this.#unsaved.delete(change.lifted);
      this.#bans.lifted(change.lifted);
    }
  }

  /** One at a time; what is asked for during one is done after it. */
  #reload(): Promise<void> {
    this.#stale = true;
    if (this.#timer || this.#closed) return Promise.resolve();
    return (this.#loading ??= this.#loadUntilFresh().finally(() => (this.#loading = undefined)));
  }

  async #loadUntilFresh(): Promise<void> {
    try {
      while (this.#stale && !this.#closed) await this.#load();
      if (this.#unsaved.size === 0) this.#recovered();
      else this.#flush();
    } catch (error) {
      this.#stale = true;
      this.#lost(error);
    }
  }

  async #load(): Promise<void> {
    this.#stale = false;
    this.#heard = [];
    try {
      const bans = await this.#store.load(this.#bans.rememberedFromMs());
      if (this.#closed) return;
      this.#bans.replaced(bans, this.#unsaved);
      for (const change of this.#heard) this.#apply(change);
    } finally {
      this.#heard = undefined;
    }
  }

  readonly #lost = (error: unknown): void => {
    if (this.#closed) return;
    if (this.#lostAtMs === undefined) {
      this.#lostAtMs = this.#clock.monotonic();
      banStoreLost.publish({ error });
    }
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      // What others did in the meantime may not have been told.
      void this.#reload();
    }, this.#retryMs);
  };

  #recovered(): void {
    if (this.#lostAtMs === undefined) return;
    const awayMs = this.#clock.monotonic() - this.#lostAtMs;
    this.#lostAtMs = undefined;
    banStoreRecovered.publish({ awayMs });
  }
}

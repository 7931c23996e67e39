import type { Clock } from '@holdfast/kit/time';

export interface GroupCommitOptions<Item> {
  /**
   * Makes all of them durable, or none. With `again`, some may have become so before, since an earlier try ended without an
   * answer or with an error: repeating them MUST be safe then.
   */
  readonly commit: (items: readonly Item[], again: boolean) => Promise<void>;
  /** Whether a failure may pass, so that the same items are tried again. */
  readonly mayPass: (error: unknown) => boolean;
  /** Called when a commit failed in a way that may pass. */
  readonly onAway?: (error: unknown) => void;
  readonly clock: Clock;
  /** How long an item is tried, in milliseconds, before whoever waits for it is told that it failed. */
  readonly patienceMs: number;
  /**
   * With this, all that waits is told so together when commits have failed for `patienceMs`, however short a time it has waited itself:
   * there is somewhere else for it to go.
   */
  readonly together?: boolean;
  /**
   * What to go on trying in place of an item whose patience has run out; undefined drops it. Nobody waits for it any more,
   * and `idle` neither. Without it nothing lingers.
   */
  readonly linger?: (item: Item) => Item | undefined;
  /** Most items that linger; beyond it they are dropped. Default 10,000. */
  readonly maxLingering?: number;
  /** Wait between tries while the database is away, in milliseconds. */
  readonly pauseMs: number;
  /** Most items in one commit. */
  readonly maxBatch: number;
}

interface Waiting<Item> {
  readonly item: Item;
  tried: boolean;
  readonly deadline: number;
  /** Undefined: nobody waits for it any more. */
  readonly done: Done | undefined;
}

/** Called once, with nothing when the item is durable, else with why it could not be learnt that it is. */
type Done = (error?: unknown) => void;

/**
 * Takes what is waiting and commits it together: at once when idle, so that a lone item pays one commit and no timer, and
 * while a commit runs the next group gathers. One commit at a time keeps one order of writing, so that two never deadlock.
 */
export class GroupCommit<Item> {
  readonly #options: GroupCommitOptions<Item>;
  #waiting: Waiting<Item>[] = [];
  #lingering = 0;
  #owed = 0;
  #whenIdle: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #lastError: unknown;
  #failedAt: number | undefined;
  /** When the first try began that failed since the last that succeeded. */
  #failingSince: number | undefined;

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = options;
  }

  /** When the last commit failed for want of the database, on the clock's monotonic scale; undefined while commits succeed. */
  get failedAt(): number | undefined {
    return this.#failedAt;
  }

  /** Items that somebody waits for. */
  get owed(): number {
    return this.#owed;
  }

  /** Resolves when the item is durable. */
  add(item: Item): Promise<void> {
    return new Promise((resolve, reject) => this.put(item, (error) => (error === undefined ? resolve() : reject(error as Error))));
  }

  /** The same without a promise of its own: each call of a model comes through here. `done` MUST NOT throw. */
  put(item: Item, done: Done): void {
    const { clock, patienceMs } = this.#options;
    this.#owed++;
    this.#waiting.push({ item, tried: false, deadline: clock.monotonic() + patienceMs, done });
    if (this.#running === undefined) this.#running = this.#run();
  }

  /** Resolves when nobody is waiting any more. */
  async idle(): Promise<void> {
    if (this.#owed > 0) await new Promise<void>((resolve) => void this.#whenIdle.push(resolve));
  }

  #settle({ done }: Waiting<Item>, error?: unknown): void {
    if (done === undefined) {
      this.#lingering--;
      return;
    }
    done(error);
    if (--this.#owed > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue: whoever adds in the same tick joins the first group.
    await Promise.resolve();
    const { clock, maxBatch, pauseMs } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.length <= maxBatch ? this.#waiting : this.#waiting.slice(0, maxBatch);
      this.#waiting = batch === this.#waiting ? [] : this.#waiting.slice(maxBatch);
      const unsettled = await this.#commit(batch);
      if (unsettled.length === 0) continue;
      this.#waiting = [...unsettled, ...this.#waiting];
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, pauseMs));
      this.#giveUpOnLate();
    }
    this.#running = undefined;
  }

  /** Returns those that are to be tried again. */
  async #commit(batch: Waiting<Item>[]): Promise<Waiting<Item>[]> {
    let again = false;
    const items = batch.map((each) => {
      again ||= each.tried;
      each.tried = true;
      return each.item;
    });
    const beganAt = this.#options.clock.monotonic();
    try {
      await this.#options.commit(items, again);
    } catch (error) {
      this.#lastError = error;
      if (this.#options.mayPass(error)) {
        this.#failedAt = this.#options.clock.monotonic();
        this.#failingSince ??= beganAt;
        this.#options.onAway?.(error);
        return batch;
      }
      // A first try may have met what an earlier one left, whose answer was lost: as a repetition it goes well.
      if (!again) return this.#commit(batch);
      if (batch.length === 1) {
        this.#settle(batch[0]!, error);
        return [];
      }
      // One bad item must not take its neighbours down: each is tried alone, and only the bad one fails.
      const unsettled: Waiting<Item>[] = [];
      for (const each of batch) unsettled.push(...(await this.#commit([each])));
      return unsettled;
    }
    this.#failedAt = undefined;
    this.#failingSince = undefined;
    for (const each of batch) this.#settle(each);
    return [];
  }

  #giveUpOnLate(): void {
    const { clock, together, patienceMs } = this.#options;
    const now = clock.monotonic();
    const all = together && this.#failingSince !== undefined && now - this.#failingSince >= patienceMs;
    const isLate = ({ deadline }: Waiting<Item>): boolean => deadline <= now || (all === true && deadline !== Number.POSITIVE_INFINITY);
    const late = this.#waiting.filter(isLate);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => !isLate(each));
    for (const each of late) {
      this.#settle(each, this.#lastError);
      if (!together) this.linger(each.item);
    }
  }

  /** Goes on trying what `linger` makes of an item, though nobody waits for it any more. */
  linger(given: Item): void {
    const { linger, maxLingering = 10_000 } = this.#options;
    const item = this.#lingering < maxLingering ? linger?.(given) : undefined;
    if (item === undefined) return;
    this.#lingering++;
    this.#waiting.push({ item, tried: true, deadline: Number.POSITIVE_INFINITY, done: undefined });
    this.#running ??= this.#run();
  }
}

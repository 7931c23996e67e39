import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import { sleep, type Clock, type Timer } from '@holdfast/kit/time';
import type { BudgetDecision, BudgetedCaller, BudgetedMoment, CallBudgets } from '../../../model/index.ts';
import { Applied, type BudgetDesk } from './applied-budgets.ts';
import { BudgetBook } from './budget-book.ts';
import type { Budget } from './budget.ts';
import { budgetRefused, budgetsLeased, budgetThresholdReached } from './events.ts';
import { Reservation } from './reservation.ts';
import type { Slice } from './slice.ts';
import type { SliceAnswer, SliceQuestion, SliceStore } from './slice-store.ts';

export interface BudgetKeeperOptions {
  readonly store: SliceStore;
  /** Under which calls are entered at this moment: that of the ledger's lease. */
  readonly instanceId: () => string;
  readonly clock: Clock;
  /** What becomes of calls under hard budgets while the database is away: `allow` goes on within what is granted already. */
  readonly whenAway: 'refuse' | 'allow';
}

const tickMs = 1_000;
/** How long a call waits for what other instances hold and do not use, in milliseconds. */
const patienceMs = 1_000;
const firstPauseMs = 20;
/** For so long what could not be had is not asked for again, whoever comes: a budget that is spent must not cost a statement a call. */
const shortMs = 250;
/** A slice of a window that is over is kept for calls that began in it and are read slowly: no request takes longer to arrive. */
const afterWindowMs = 3_900_000;
const maxQuestions = 500;

/**
 * Decides on budgets in memory, within slices of them that were leased. Asks for more where a slice has no room, which calls wait for; gives back
 * what was not used, in the background.
 */
export class BudgetKeeper implements CallBudgets, BudgetDesk {
  readonly #options: BudgetKeeperOptions;
  readonly #book = new BudgetBook();
  /** By the caller's object, which lives as long as its key in memory. */
  #applied = new WeakMap<BudgetedCaller, { readonly revision: number; readonly applied: Applied | undefined }>();
  /** Slices about which a question is on its way, and what waits for it. */
  readonly #asked = new Map<Slice, Asked>();
  #instanceId: string;
  #away = false;
  #timer: Timer | undefined;
  #closed = false;
  epoch = 0;

  constructor(options: BudgetKeeperOptions) {
    this.#options = options;
    this.#instanceId = options.instanceId();
  }

  get size(): number {
    return this.#book.size;
  }

  /** The database did not answer, as somebody else saw it. */
  noteAway(): void {
    this.#away = true;
    if (this.#book.size > 0) this.#keepTicking();
  }

  get withheld(): boolean {
    this.#checkName();
    return this.#away && this.#options.whenAway === 'refuse';
  }

  of(caller: BudgetedCaller): Applied | undefined {
    if (this.#book.size === 0) return undefined;
    const known = this.#applied.get(caller);
    if (known !== undefined && known.revision === this.#book.revision) return known.applied;
    const budgets = this.#book.of(caller);
    const applied = budgets.length === 0 ? undefined : new Applied(budgets, this);
    this.#applied.set(caller, { revision: this.#book.revision, applied });
    return applied;
  }

  /** As it is from now on. */
  put(budget: Budget): void {
    const { clock } = this.#options;
    this.#book.put(budget, clock.now(), clock.monotonic());
    this.#keepTicking();
  }

  remove(id: string): void {
    this.#book.remove(id);
  }

  /** All that there are; others are forgotten. */
  replaceAll(budgets: readonly Budget[]): void {
    const ids = new Set(budgets.map(({ id }) => id));
    for (const { definition } of [...this.#book.all()]) if (!ids.has(definition.id)) this.#book.remove(definition.id);
    for (const budget of budgets) this.put(budget);
  }

  /** Another instance is out of a budget of which this one has some that it does not use. */
  recall(budgetId: string): void {
    const now = this.#options.clock.monotonic();
    const slices = (this.#book.find(budgetId)?.slices ?? []).filter((slice) => !this.#asked.has(slice) && slice.shortUntil <= now);
    for (const slice of slices) slice.giveBack(0);
    void this.#tell(slices);
  }

  /** The slices of this instance, for those who look. */
  *slices(): IterableIterator<Slice> {
    for (const { slices } of this.#book.all()) yield* slices;
  }

  async wait(applied: Applied, moment: BudgetedMoment, nanoUsd: number): Promise<BudgetDecision> {
    const { clock } = this.#options;
    const giveUpAt = clock.monotonic() + patienceMs;
    for (let pauseMs = firstPauseMs; ;) {
      // First, since it finds out whether the instance goes by another name now, with other slices.
      const { withheld } = this;
      const slices = applied.slicesAt(moment);
      if (withheld && applied.hard) return this.#refused(applied.budgets.find((each) => each.hard)!.definition, 'unavailable', nanoUsd);
      const lacking = slices.find((slice) => slice.lacks(nanoUsd));
      if (lacking === undefined) return new Reservation(slices, nanoUsd);
      const budget = lacking.budget.definition;
      const needNano = nanoUsd - lacking.available;
      if (lacking.shortUntil > clock.monotonic() && needNano >= lacking.shortOf) return this.#refused(budget, 'exceeded', nanoUsd);
      let answer: SliceAnswer | undefined;
      try {
        answer = await this.#need(lacking, nanoUsd);
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        if (!lacking.budget.hard) {
          // It refuses nothing: counted from when it can be.
          lacking.opened = true;
          continue;
        }
        return this.#refused(budget, 'unavailable', nanoUsd);
      }
      // What it was asked for is no slice of this instance any more.
      if (answer === undefined || answer.state === 'gone' || lacking.dropped) {
        if (clock.monotonic() >= giveUpAt) return this.#refused(budget, 'unavailable', nanoUsd);
        continue;
      }
      if (!lacking.budget.hard) {
        lacking.opened = true;
        continue;
      }
      if (lacking.closed || answer.state === 'dead') return this.#refused(budget, 'unavailable', nanoUsd);
      const stillNeeded = nanoUsd - lacking.available;
      if (stillNeeded <= answer.freeNano) continue;
      const mayComeBack = stillNeeded <= answer.freeNano + answer.idleNano && clock.monotonic() + pauseMs < giveUpAt;
      if (!mayComeBack) {
        lacking.shortOf = stillNeeded;
        lacking.shortUntil = clock.monotonic() + shortMs;
        return this.#refused(budget, 'exceeded', nanoUsd);
      }
      await sleep(clock, pauseMs);
      pauseMs *= 2;
    }
  }

  /** Ends what was held: slices without reservations are closed with what was spent of them. Others are left to be closed from the ledger. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all(Array.from(this.#asked.values(), ({ running }) => running.catch(() => {})));
    await this.#tell(
      [...this.slices()].filter(({ reserved }) => reserved === 0),
      true,
    );
  }

  /** Asks for room for one more call. Those who come while a question is on its way ask together with the next. */
  #need(slice: Slice, nanoUsd: number): Promise<SliceAnswer | undefined> {
    return this.#needAll(slice, [nanoUsd]);
  }

  #needAll(slice: Slice, amounts: readonly number[]): Promise<SliceAnswer | undefined> {
    const asked = this.#asked.get(slice);
    if (asked !== undefined) {
      asked.waiting.push(...amounts);
      // One at a time, or the answer to the older of two could take back what the newer has given.
      return (asked.next ??= asked.running.then(
        () => this.#needAll(slice, asked.waiting),
        () => this.#needAll(slice, asked.waiting),
      ));
    }
    if (slice.dropped) return Promise.resolve(undefined);
    // Room for the first that came; the others, if that was not enough for them, come first next time.
    const wantNano = 8 * amounts.reduce((sum, each) => sum + each, 0);
    return this.#lease([slice], () => [slice.ask({ roomNano: amounts[0]!, wantNano })]).then(([answer]) => answer);
  }

  /** Says how things stand. */
  async #tell(slices: readonly Slice[], closes = false): Promise<void> {
    for (let at = 0; at < slices.length; at += maxQuestions) {
      const some = slices.slice(at, at + maxQuestions).filter((slice) => !this.#asked.has(slice) && !slice.dropped && !slice.closed);
      if (some.length > 0) await this.#lease(some, () => some.map((slice) => slice.ask({ closes }))).catch(() => {});
    }
  }

  #lease(slices: readonly Slice[], ask: () => readonly SliceQuestion[]): Promise<readonly SliceAnswer[]> {
    // By the name that they were granted to: it may be another one when the question leaves.
    const running = this.#answer(slices, this.#instanceId, ask());
    for (const slice of slices) this.#asked.set(slice, { running, waiting: [], next: undefined });
    return running;
  }

  async #answer(slices: readonly Slice[], instanceId: string, questions: readonly SliceQuestion[]): Promise<readonly SliceAnswer[]> {
    const { store, clock } = this.#options;
    const beganAt = clock.monotonic();
    let outcome: 'completed' | 'failed' = 'failed';
    // A turn later, when the slices are known to be asked about.
    await Promise.resolve();
    try {
      const answers = await store.lease(instanceId, questions);
      outcome = 'completed';
      this.#away = false;
      for (const slice of slices) {
        const answer = answers.find((each) => each.budgetId === slice.budget.definition.id && each.periodStartMs === slice.window.startMs);
        if (answer !== undefined) this.#hear(slice, answer);
      }
      return answers;
    } catch (error) {
      if (isHoldfastError(error)) this.#away = true;
      for (const slice of slices) slice.unheard();
      throw error;
    } finally {
      for (const slice of slices) this.#asked.delete(slice);
      if (budgetsLeased.hasSubscribers) budgetsLeased.publish({ slices: slices.length, durationMs: clock.monotonic() - beganAt, outcome });
    }
  }

  #hear(slice: Slice, answer: SliceAnswer): void {
    slice.hear(answer);
    const { definition } = slice.budget;
    if (answer.state === 'gone') this.#book.remove(definition.id);
    if (answer.toldPercent === undefined) return;
    budgetThresholdReached.publish({
      budget: definition,
      periodStartMs: slice.window.startMs,
      percent: answer.toldPercent,
      spentNanoUsd: answer.spentNano,
      limitNanoUsd: answer.limitNano,
    });
  }

  #keepTicking(): void {
    if (this.#timer === undefined && !this.#closed) this.#timer = this.#options.clock.setTimeout(() => void this.#tick(), tickMs);
  }

  async #tick(): Promise<void> {
    const { clock, store } = this.#options;
    this.#checkName();
    const now = clock.now();
    const telling: Slice[] = [];
    const ending: Slice[] = [];
    for (const budget of this.#book.all()) {
      for (const slice of budget.slices) {
        if (this.#asked.has(slice)) continue;
        const over = slice.window.endMs <= now;
        if (over && slice.window.endMs + afterWindowMs <= now && slice.reserved === 0) ending.push(slice);
        else if (slice.settleDown(over)) telling.push(slice);
      }
    }
    if (this.#away && telling.length + ending.length === 0) {
      await store.lease(this.#instanceId, []).then(
        () => (this.#away = false),
        () => {},
      );
    }
    await this.#tell(telling);
    await this.#end(ending);
    this.#timer = undefined;
    if (this.#book.size > 0) this.#keepTicking();
  }

  /** Calls of these windows come no more: who is that late counts in the window that runs. */
  async #end(slices: readonly Slice[]): Promise<void> {
    if (slices.length === 0) return;
    this.epoch++;
    for (const { budget, window } of slices) {
      const tracked = this.#book.find(budget.definition.id);
      if (tracked === undefined) continue;
      tracked.endedStartMs = Math.max(tracked.endedStartMs, window.startMs);
      tracked.slices = tracked.slices.filter((slice) => !slices.includes(slice));
    }
    await this.#tell(slices, true);
    for (const slice of slices) if (!slice.closed && !slice.dropped) this.#book.find(slice.budget.definition.id)?.slices.unshift(slice);
  }

  /** By another name nothing is granted yet; what was granted to the old one is settled by the ledger, with the calls that ended under it. */
  #checkName(): void {
    const instanceId = this.#options.instanceId();
    if (instanceId === this.#instanceId) return;
    this.#instanceId = instanceId;
    this.epoch++;
    for (const budget of this.#book.all()) {
      for (const slice of budget.slices) slice.dropped = true;
      budget.slices = [];
      budget.endedStartMs = Number.NEGATIVE_INFINITY;
    }
  }

  #refused(budget: Budget, reason: 'exceeded' | 'unavailable', nanoUsd: number): BudgetDecision {
    if (budgetRefused.hasSubscribers) budgetRefused.publish({ budget, reason, nanoUsd });
    const detail = `budget ${budget.id} (${budget.name})`;
    const details = { budget: { id: budget.id, name: budget.name, subject: budget.subject, period: budget.period } };
    return {
      held: false,
      error:
        reason === 'exceeded'
          ? new HoldfastError('budget_exceeded', { detail, details })
          : new HoldfastError('budget_unavailable', { detail, details, retryAfterSeconds: 1 }),
    };
  }
}

interface Asked {
  readonly running: Promise<unknown>;
  /** Of those who wait for the question after it, what each needs. */
  readonly waiting: number[];
  next: Promise<SliceAnswer | undefined> | undefined;
}

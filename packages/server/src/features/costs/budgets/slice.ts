import type { Budget } from './budget.ts';
import type { BudgetWindow } from './budget-period.ts';
import type { SliceAnswer, SliceQuestion } from './slice-store.ts';

/** Ticks without any use after which what is left goes back. */
const idleTicks = 5;

/** What a slice asks its budget. */
export interface SliceOwner {
  readonly definition: Budget;
  readonly hard: boolean;
}

/**
 * The part of one window of a budget that this instance may decide on by itself. What is granted is never less than what is spent and reserved, but
 * for what a call costs beyond its reservation. Amounts in nano-dollars.
 */
export class Slice {
  readonly budget: SliceOwner;
  readonly window: BudgetWindow;
  readonly countedFromMs: number;
  granted = 0;
  spent = 0;
  reserved = 0;
  /** No longer decides on anything: the instance goes by another name now, or the budget is gone. */
  dropped = false;
  /**
   * It is stored. Also that of a soft budget must be before anything is spent of it: of a slice that nobody knows nobody counts what its dead instance
   * spent.
   */
  opened = false;
  /** It has ended: by this instance, or by others who took it for dead. */
  closed = false;
  /** Asked for so much beyond what is there and got nothing: monotonic milliseconds until which it need not be asked again. */
  shortOf = Number.POSITIVE_INFINITY;
  shortUntil = 0;

  #version = 0;
  #spentAtTick = 0;
  #quietTicks = 0;
  #asked = '';
  #said = '';

  constructor(budget: SliceOwner, window: BudgetWindow, countedFromMs: number) {
    this.budget = budget;
    this.window = window;
    this.countedFromMs = countedFromMs;
  }

  get available(): number {
    return this.granted - this.spent - this.reserved;
  }

  get used(): number {
    return this.spent + this.reserved;
  }

  lacks(nanoUsd: number): boolean {
    return this.budget.hard ? this.granted - this.spent - this.reserved < nanoUsd || this.closed : !this.opened;
  }

  /** The next question. With `roomNano`, for room for so much, and some more for those who come next; without, it says how things stand. */
  ask({ roomNano = 0, wantNano = 0, closes = false } = {}): SliceQuestion {
    // What a call cost beyond its reservation is spent, whoever granted it.
    if (this.granted < this.used) this.granted = this.used;
    const needNano = Math.max(0, roomNano - this.available);
    this.#asked = this.#use;
    return {
      budgetId: this.budget.definition.id,
      periodStartMs: this.window.startMs,
      periodEndMs: this.window.endMs,
      version: ++this.#version,
      countedFromMs: this.countedFromMs,
      spentNano: this.spent,
      reservedNano: this.reserved,
      keepNano: this.granted,
      needNano,
      wantNano: roomNano === 0 ? 0 : wantNano + 2 * (this.spent - this.#spentAtTick + this.reserved),
      closes,
    };
  }

  hear(answer: SliceAnswer): void {
    if (answer.state === 'dead') return this.unheard();
    this.opened = true;
    if (answer.state === 'gone') this.dropped = true;
    else if (answer.state === 'closed') this.closed = true;
    // Of a question that was overtaken nothing is known that the newer one does not know better.
    else if (answer.state === 'open') this.granted = answer.grantedNano;
    // What was settled while it was on its way is not said yet.
    this.#said = `${this.granted} ${this.#asked}`;
  }

  /** Its question may or may not have been heard: there is something to say. */
  unheard(): void {
    this.#said = '';
  }

  /**
   * Once a second: gives back what was not used lately. True when there is something to say. Between use and return lies a margin, so that a
   * steady use neither asks nor returns.
   */
  settleDown(windowIsOver: boolean): boolean {
    const recent = this.spent - this.#spentAtTick + this.reserved;
    this.#spentAtTick = this.spent;
    this.#quietTicks = recent > 0 ? 0 : this.#quietTicks + 1;
    if (windowIsOver || !this.budget.hard || this.#quietTicks >= idleTicks) this.giveBack(0);
    else if (recent > 0 && this.available > 16 * recent) this.giveBack(8 * recent);
    return this.#said !== `${this.granted} ${this.#use}`;
  }

  /** Holds on to so much beyond what is used. What it does not hold on to is not spent any more, from now on. */
  giveBack(restNano: number): void {
    if (this.available > restNano) this.granted = this.used + restNano;
  }

  get #use(): string {
    return `${this.spent} ${this.reserved}`;
  }
}

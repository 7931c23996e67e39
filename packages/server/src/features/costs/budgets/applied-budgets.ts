import type { AppliedBudgets, BudgetDecision, BudgetedMoment } from '../../../model/index.ts';
import { Reservation } from './reservation.ts';
import type { Slice } from './slice.ts';
import type { TrackedBudget } from './tracked-budget.ts';

/** What decides where memory cannot. */
export interface BudgetDesk {
  /** Whether slices that were found before still decide on anything. */
  readonly epoch: number;
  /** Hard budgets hold everything back: nobody can say what they have left. */
  readonly withheld: boolean;
  wait(applied: Applied, moment: BudgetedMoment, nanoUsd: number): Promise<BudgetDecision>;
}

/** The budgets that one caller is under, with the slices of this moment at hand: most decisions are two comparisons a budget. */
export class Applied implements AppliedBudgets {
  readonly budgets: readonly TrackedBudget[];
  readonly hard: boolean;
  readonly #desk: BudgetDesk;
  #slices: readonly Slice[] = [];
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.NEGATIVE_INFINITY;
  #fromMonotonic = 0;
  #epoch = -1;

  constructor(budgets: readonly TrackedBudget[], desk: BudgetDesk) {
    this.budgets = budgets;
    this.hard = budgets.some((each) => each.hard);
    this.#desk = desk;
  }

  reserve(moment: BudgetedMoment, nanoUsd: number): BudgetDecision | Promise<BudgetDecision> {
    const desk = this.#desk;
    if (desk.withheld && this.hard) return desk.wait(this, moment, nanoUsd);
    const slices = this.slicesAt(moment);
    for (let at = 0; at < slices.length; at++) if (slices[at]!.lacks(nanoUsd)) return desk.wait(this, moment, nanoUsd);
    return new Reservation(slices, nanoUsd);
  }

  slicesAt({ startedAt, startedMonotonic }: BudgetedMoment): readonly Slice[] {
    if (
      startedAt >= this.#fromMs &&
      startedAt < this.#untilMs &&
      startedMonotonic >= this.#fromMonotonic &&
      this.#epoch === this.#desk.epoch
    )
      return this.#slices;
    const counting = this.budgets.filter((each) => startedMonotonic >= each.learnedMonotonic);
    const slices = counting.map((each) => each.sliceAt(startedAt));
    if (counting.length < this.budgets.length) return slices;
    this.#slices = slices;
    this.#fromMs = Math.max(...slices.map(({ window }) => window.startMs));
    this.#untilMs = Math.min(...slices.map(({ window }) => window.endMs));
    this.#fromMonotonic = Math.max(...counting.map((each) => each.learnedMonotonic));
    this.#epoch = this.#desk.epoch;
    return slices;
  }
}

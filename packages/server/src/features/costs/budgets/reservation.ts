import type { BudgetReservation } from '../../../model/index.ts';
import { budgetOverrun } from './events.ts';
import type { Slice } from './slice.ts';

/** What is held back for one call in every slice that it is under. Ends once, however often it is said. */
export class Reservation implements BudgetReservation {
  readonly held = true;
  readonly #slices: readonly Slice[];
  readonly #nanoUsd: number;
  #ended = false;

  /** Takes from all of them; whoever calls has looked whether they have room. */
  constructor(slices: readonly Slice[], nanoUsd: number) {
    this.#slices = slices;
    this.#nanoUsd = nanoUsd;
    for (let at = 0; at < slices.length; at++) slices[at]!.reserved += nanoUsd;
  }

  settle(costNanoUsd: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const slices = this.#slices;
    const reserved = this.#nanoUsd;
    for (let at = 0; at < slices.length; at++) {
      const slice = slices[at]!;
      slice.reserved -= reserved;
      slice.spent += costNanoUsd;
      if (costNanoUsd > reserved && slice.budget.hard && !slice.dropped && budgetOverrun.hasSubscribers)
        budgetOverrun.publish({ budget: slice.budget.definition, reservedNanoUsd: reserved, costNanoUsd });
    }
  }
}

import type { Budget } from './budget.ts';
import { windowAt } from './budget-period.ts';
import { Slice } from './slice.ts';

/** A budget as this instance knows it, with its slices: of the window that runs, and of those before that calls still belong to. */
export class TrackedBudget {
  definition: Budget;
  /** When the instance learned of it, by both clocks: calls that began before are none of its. */
  readonly learnedAt: number;
  readonly learnedMonotonic: number;
  slices: Slice[] = [];
  /** The newest window whose slice this instance has ended: it is not opened again. */
  endedStartMs = Number.NEGATIVE_INFINITY;

  constructor(definition: Budget, learnedAt: number, learnedMonotonic: number) {
    this.definition = definition;
    this.learnedAt = learnedAt;
    this.learnedMonotonic = learnedMonotonic;
  }

  get hard(): boolean {
    return this.definition.enforcement === 'hard';
  }

  /** The slice that a call belongs to that began then. One that comes when its window has been ended belongs to the window that runs. */
  sliceAt(startedAt: number): Slice {
    for (const slice of this.slices) if (startedAt >= slice.window.startMs && startedAt < slice.window.endMs) return slice;
    const window = windowAt(this.definition.period, startedAt);
    const latest = this.slices.at(-1);
    if (latest !== undefined && window.startMs <= this.endedStartMs) return latest;
    const slice = new Slice(this, window, Math.max(this.learnedAt, window.startMs));
    this.slices = [...this.slices, slice].toSorted((one, other) => one.window.startMs - other.window.startMs);
    return slice;
  }
}

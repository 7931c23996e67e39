import { defineChannel } from '@holdfast/kit/events';
import type { Budget } from './budget.ts';

/** A budget passed a threshold: told once for each window, by one instance. */
export interface BudgetThresholdReached {
  readonly budget: Budget;
  readonly periodStartMs: number;
  /** 50, 80 or 100. */
  readonly percent: number;
  readonly spentNanoUsd: number;
  readonly limitNanoUsd: number;
}

export const budgetThresholdReached = defineChannel<BudgetThresholdReached>('holdfast:costs:budget-threshold-reached');

/** A call was refused by a budget. */
export interface BudgetRefused {
  readonly budget: Budget;
  /** `exceeded`: it may have passed the limit. `unavailable`: nobody can say, since the database is away. */
  readonly reason: 'exceeded' | 'unavailable';
  /** The most that the call can have cost. */
  readonly nanoUsd: number;
}

export const budgetRefused = defineChannel<BudgetRefused>('holdfast:costs:budget-refused');

/** A call cost more than what had been held back for it as the most that it can cost: a provider charged what it should not, or a bound is wrong. */
export interface BudgetOverrun {
  readonly budget: Budget;
  readonly reservedNanoUsd: number;
  readonly costNanoUsd: number;
}

export const budgetOverrun = defineChannel<BudgetOverrun>('holdfast:costs:budget-overrun');

/** A question about slices, which calls may wait for. */
export interface BudgetsLeased {
  readonly slices: number;
  readonly durationMs: number;
  readonly outcome: 'completed' | 'failed';
}

export const budgetsLeased = defineChannel<BudgetsLeased>('holdfast:costs:budgets-leased');

export type { Budget, BudgetEnforcement, BudgetPeriod, BudgetSubject } from './budget.ts';
export { BudgetKeeper, type BudgetKeeperOptions } from './budget-keeper.ts';
export { budgetOverrun, budgetRefused, budgetsLeased, budgetThresholdReached, type BudgetThresholdReached } from './events.ts';
export { windowAt, type BudgetWindow } from './budget-period.ts';
export type { SliceAnswer, SliceQuestion, SliceStore } from './slice-store.ts';

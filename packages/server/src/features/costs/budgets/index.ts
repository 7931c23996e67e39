export type { Budget, BudgetEnforcement, BudgetPeriod, BudgetSubject } from './budget.ts';
export { BudgetKeeper, type BudgetKeeperOptions } from './budget-keeper.ts';
export { windowAt, type BudgetWindow } from './budget-period.ts';
export { createDatabaseSliceStore } from './database-slice-store.ts';
export { budgetOverrun, budgetRefused, budgetsLeased, budgetThresholdReached } from './events.ts';
export { followBudgets } from './follow-budgets.ts';
export { closeDeadSlices, forgetEndedBudgets } from './slice-recovery.ts';
export type { SliceAnswer, SliceQuestion, SliceStore } from './slice-store.ts';

export { httpRetryDefaults, llmRetryDefaults, type RetryNumbers, type RetryOptions } from './options.ts';
export { retry } from './retry.ts';
export {
  createRetryBudget,
  retryBudgetDefaults,
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetStatus,
} from './retry-budget.ts';

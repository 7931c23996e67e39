export type BudgetSubject = 'organization' | 'user' | 'key';
export type BudgetPeriod = 'day' | 'month' | 'total';
/** `hard` refuses a call that may pass the limit; `soft` tells of it and refuses nothing. */
export type BudgetEnforcement = 'hard' | 'soft';

/** So much for whoever it is, in each day or month of UTC, or in all. */
export interface Budget {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly subject: BudgetSubject;
  /** Of the organization, the person or the key; of a key that was rotated, of those that replaced it too. */
  readonly subjectIds: readonly string[];
  readonly period: BudgetPeriod;
  readonly limitNanoUsd: number;
  readonly enforcement: BudgetEnforcement;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

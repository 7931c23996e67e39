import type { ColumnType, Generated } from 'kysely';
import type { OptionalTimestamp, Timestamp } from './column-types.ts';

/** The tables of budgets; part of `Schema`. */
export interface BudgetSchema {
  'holdfast.budgets': BudgetsTable;
  'holdfast.budget_windows': BudgetWindowsTable;
  'holdfast.budget_slices': BudgetSlicesTable;
}

export interface BudgetsTable {
  id: string;
  organization_id: string;
  name: string;
  subject: 'organization' | 'user' | 'key';
  /** One, but for a key that was rotated. */
  subject_ids: string[];
  period: 'day' | 'month' | 'total';
  limit_nano: number;
  enforcement: 'hard' | 'soft';
  created_at: ColumnType<Date, Date | string | undefined, never>;
  deleted_at: OptionalTimestamp;
  /** Set by a trigger, as `changed_at` is. */
  changed_in: ColumnType<string, never, never>;
  changed_at: ColumnType<Date, never, never>;
}

export interface BudgetWindowsTable {
  budget_id: string;
  organization_id: string;
  period_start: Timestamp;
  /** null: it has no end. */
  period_end: OptionalTimestamp;
  closed_nano: Generated<number>;
  told_percent: Generated<number>;
  refused_at: OptionalTimestamp;
}

export interface BudgetSlicesTable {
  budget_id: string;
  period_start: Timestamp;
  instance_id: string;
  organization_id: string;
  version: number;
  granted_nano: Generated<number>;
  spent_nano: Generated<number>;
  reserved_nano: Generated<number>;
  counted_from: Timestamp;
  closed: Generated<boolean>;
  updated_at: Generated<Date>;
}

import { sql, type Kysely, type Selectable } from 'kysely';
import type { Schema } from '../../../platform/postgres/index.ts';
import type { Budget } from './budget.ts';

type BudgetRow = Selectable<Schema['holdfast.budgets']>;

export function toBudget(row: BudgetRow): Budget {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    subject: row.subject,
    subjectIds: row.subject_ids,
    period: row.period,
    limitNanoUsd: row.limit_nano,
    enforcement: row.enforcement,
    createdAt: row.created_at.getTime(),
  };
}

/** All that count, or those of these ids that do. */
export async function readBudgets(jobs: Kysely<Schema>, ids?: readonly string[]): Promise<readonly Budget[]> {
  let query = jobs.selectFrom('holdfast.budgets').selectAll().where('deleted_at', 'is', null);
  if (ids !== undefined) query = query.where('id', '=', sql<string>`any(${ids}::uuid[])`);
  return (await query.execute()).map(toBudget);
}

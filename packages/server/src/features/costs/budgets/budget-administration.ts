import { sql, type Transaction } from 'kysely';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { Schema } from '../../../platform/postgres/index.ts';
import type { Budget, BudgetEnforcement } from './budget.ts';
import { windowAt } from './budget-period.ts';
import { toBudget } from './budget-store.ts';

/** A call's id is made a moment after it began, by a clock that may be set back. */
const idEarlierMs = 60_000;

/** How a budget stands in the window of a moment. Amounts in nano-dollars. */
export interface BudgetStanding {
  readonly budget: Budget;
  readonly periodStartMs: number;
  /** Infinity where it has no end. */
  readonly periodEndMs: number;
  /** By all instances, to the last second. */
  readonly spentNano: number;
  /** Held for calls under way. */
  readonly reservedNano: number;
  /** Held by instances, and not used. */
  readonly idleNano: number;
  readonly refusing: boolean;
}

export interface BudgetFilter {
  readonly organizationId?: string | undefined;
  readonly id?: string | undefined;
  readonly beforeId?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function readStandings(
  transaction: Transaction<Schema>,
  filter: BudgetFilter,
  nowMs: number,
): Promise<readonly BudgetStanding[]> {
  let query = transaction
    .selectFrom('holdfast.budgets')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('id', 'desc')
    .limit(filter.limit);
  if (filter.organizationId !== undefined) query = query.where('organization_id', '=', filter.organizationId);
  if (filter.id !== undefined) query = query.where('id', '=', filter.id);
  if (filter.beforeId !== undefined) query = query.where('id', '<', filter.beforeId);
  const budgets = (await query.execute()).map(toBudget);
  return Promise.all(budgets.map((budget) => readStanding(transaction, budget, nowMs)));
}

async function readStanding(transaction: Transaction<Schema>, budget: Budget, nowMs: number): Promise<BudgetStanding> {
  const { startMs, endMs } = windowAt(budget.period, nowMs);
  const start = new Date(startMs);
  const { rows } = await sql<{ closed: number | null; refused: boolean | null; spent: number; reserved: number; idle: number }>`
    select w.closed_nano as closed, w.refused_at is not null as refused, s.spent, s.reserved, s.idle
    from (select coalesce(sum(spent_nano), 0)::bigint as spent, coalesce(sum(reserved_nano), 0)::bigint as reserved,
        coalesce(sum(greatest(granted_nano - spent_nano - reserved_nano, 0)), 0)::bigint as idle
      from holdfast.budget_slices where budget_id = ${budget.id} and period_start = ${start} and not closed) s
    left join holdfast.budget_windows w on w.budget_id = ${budget.id} and w.period_start = ${start}`.execute(transaction);
  const [found] = rows;
  return {
    budget,
    periodStartMs: startMs,
    periodEndMs: endMs,
    spentNano: (found?.closed ?? 0) + (found?.spent ?? 0),
    reservedNano: found?.reserved ?? 0,
    idleNano: found?.idle ?? 0,
    refusing: found?.refused ?? false,
  };
}

/**
 * Stores it, with what was spent in its day or month before it was made: from the ledger, as of now. Calls that are under way do not count, and
 * a total counts from here on.
 */
export async function insertBudget(transaction: Transaction<Schema>, budget: Budget, nowMs: number): Promise<void> {
  await transaction
    .insertInto('holdfast.budgets')
    .values({
      id: budget.id,
      organization_id: budget.organizationId,
      name: budget.name,
      subject: budget.subject,
      subject_ids: [...budget.subjectIds],
      period: budget.period,
      limit_nano: budget.limitNanoUsd,
      enforcement: budget.enforcement,
      created_at: new Date(budget.createdAt),
    } as never)
    .execute();
  if (budget.period === 'total') return;
  const { startMs, endMs } = windowAt(budget.period, nowMs);
  let calls = transaction
    .selectFrom('holdfast.calls')
    .select(sql<number>`coalesce(sum(cost_nano_usd), 0)::bigint`.as('spent'))
    .where('organization_id', '=', budget.organizationId)
    .where('started_at', '>=', new Date(startMs))
    .where('id', '>=', firstUuidV7At(startMs - idEarlierMs));
  if (budget.subject === 'user') calls = calls.where('user_id', '=', sql<string>`any(${budget.subjectIds}::uuid[])`);
  if (budget.subject === 'key') calls = calls.where('key_id', '=', sql<string>`any(${budget.subjectIds}::uuid[])`);
  const { spent } = await calls.executeTakeFirstOrThrow();
  await transaction
    .insertInto('holdfast.budget_windows')
    .values({
      budget_id: budget.id,
      organization_id: budget.organizationId,
      period_start: new Date(startMs),
      period_end: new Date(endMs),
      closed_nano: spent,
    })
    .execute();
}

export interface BudgetChange {
  readonly name?: string | undefined;
  readonly limitNanoUsd?: number | undefined;
  readonly enforcement?: BudgetEnforcement | undefined;
}

/** Undefined when there is none. Every instance learns of it within a second. */
export async function updateBudget(transaction: Transaction<Schema>, id: string, change: BudgetChange): Promise<Budget | undefined> {
  const row = await transaction
    .updateTable('holdfast.budgets')
    .set({
      ...(change.name !== undefined && { name: change.name }),
      ...(change.limitNanoUsd !== undefined && { limit_nano: change.limitNanoUsd }),
      ...(change.enforcement !== undefined && { enforcement: change.enforcement }),
    })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row && toBudget(row);
}

/** Undefined when there was none. Calls under way end as they would have. */
export async function deleteBudget(transaction: Transaction<Schema>, id: string): Promise<Budget | undefined> {
  const row = await transaction
    .updateTable('holdfast.budgets')
    .set({ deleted_at: sql`now()` })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row && toBudget(row);
}

/** The key and those that replaced it, oldest first; undefined when the organization has no such key. */
export async function readKeyLine(
  transaction: Transaction<Schema>,
  organizationId: string,
  keyId: string,
): Promise<readonly string[] | undefined> {
  const { rows } = await sql<{ id: string }>`
    with recursive line as (
      select id, replaced_by, 1 as place from holdfast.api_keys where organization_id = ${organizationId} and id = ${keyId}
      union all
      select k.id, k.replaced_by, line.place + 1 from holdfast.api_keys k join line on k.id = line.replaced_by where line.place < 1000)
    select id from line order by place`.execute(transaction);
  return rows.length === 0 ? undefined : rows.map(({ id }) => id);
}

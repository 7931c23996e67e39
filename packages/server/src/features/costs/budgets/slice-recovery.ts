import { sql, type Kysely, type Transaction } from 'kysely';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { Schema } from '../../../platform/postgres/index.ts';
import type { BudgetSubject } from './budget.ts';

interface DeadSlice {
  readonly budget_id: string;
  readonly organization_id: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly instance_id: string;
  readonly counted_from: Date;
  readonly subject: BudgetSubject;
  readonly subject_ids: string[];
}

export interface DeadSlicesOptions {
  /** Of the instance that does the work. */
  readonly self: string;
  /** Every other instance is dead. */
  readonly alone: boolean;
  readonly deadAfterMs: number;
}

/** A call's id is made a moment after it began, by a clock that may be set back. */
const idEarlierMs = 60_000;

/**
 * Closes the slices of instances that died with what the ledger says that they spent, once all their calls are in it: those that were under way count as
 * the most that they can have cost. What was granted beyond is free again. Safe to run on several instances at once. Returns how many there were.
 */
export async function closeDeadSlices(jobs: Kysely<Schema>, options: DeadSlicesOptions): Promise<number> {
  let closed = 0;
  while (await jobs.transaction().execute((transaction) => closeOne(transaction, options))) closed++;
  return closed;
}

async function closeOne(transaction: Transaction<Schema>, { self, alone, deadAfterMs }: DeadSlicesOptions): Promise<boolean> {
  const { rows } = await sql<DeadSlice>`
    select s.budget_id, s.organization_id, s.period_start, w.period_end, s.instance_id, s.counted_from, b.subject, b.subject_ids
    from holdfast.budget_slices s
    join holdfast.budgets b on b.id = s.budget_id
    join holdfast.budget_windows w on w.budget_id = s.budget_id and w.period_start = s.period_start
    where not s.closed and s.instance_id <> ${self}
      and (${alone} or not exists (
        select from holdfast.instances n
        where n.id = s.instance_id and n.seen_at > now() - make_interval(secs => ${deadAfterMs / 1000})))
      -- It may have died since its calls were looked for.
      and not exists (
        select from holdfast.call_intents i
        where i.instance_id = s.instance_id and not exists (select from holdfast.calls c where c.id = i.id))
    limit 1
    for update of s skip locked`.execute(transaction);
  const [slice] = rows;
  if (slice === undefined) return false;
  const spent = await spentByDead(transaction, slice);
  await sql`
    update holdfast.budget_windows set closed_nano = closed_nano + ${spent}
    where budget_id = ${slice.budget_id} and period_start = ${slice.period_start}`.execute(transaction);
  await sql`
    update holdfast.budget_slices set closed = true, granted_nano = 0, reserved_nano = 0, spent_nano = ${spent}, updated_at = now()
    where budget_id = ${slice.budget_id} and period_start = ${slice.period_start} and instance_id = ${slice.instance_id}`.execute(
    transaction,
  );
  return true;
}

/** Of the calls of that instance that began in the window and while the budget was known there. */
async function spentByDead(transaction: Transaction<Schema>, slice: DeadSlice): Promise<number> {
  const from = new Date(Math.max(slice.counted_from.getTime(), slice.period_start.getTime()));
  let calls = transaction
    .selectFrom('holdfast.calls')
    .select(sql<number>`coalesce(sum(cost_nano_usd), 0)::bigint`.as('spent'))
    .where('organization_id', '=', slice.organization_id)
    .where('instance_id', '=', slice.instance_id)
    .where('started_at', '>=', from)
    .where('id', '>=', firstUuidV7At(from.getTime() - idEarlierMs));
  if (slice.period_end !== null) calls = calls.where('started_at', '<', slice.period_end);
  if (slice.subject === 'user') calls = calls.where('user_id', '=', sql<string>`any(${slice.subject_ids}::uuid[])`);
  if (slice.subject === 'key') calls = calls.where('key_id', '=', sql<string>`any(${slice.subject_ids}::uuid[])`);
  return (await calls.executeTakeFirstOrThrow()).spent;
}

/** Removes what nobody asks for any more: slices of instances that are forgotten, and budgets that were deleted a while ago. */
export async function forgetEndedBudgets(jobs: Kysely<Schema>): Promise<void> {
  await sql`
    delete from holdfast.budget_slices s
    where s.closed and s.updated_at < now() - interval '1 day' and not exists (select from holdfast.instances n where n.id = s.instance_id)`.execute(
    jobs,
  );
  await sql`delete from holdfast.budgets where deleted_at < now() - interval '1 day'`.execute(jobs);
}

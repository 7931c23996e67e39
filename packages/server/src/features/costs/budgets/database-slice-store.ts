import { sql } from 'kysely';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { withinDeadline } from '../../../platform/change-feed/index.ts';
import type { Database } from '../../../platform/postgres/index.ts';
import type { SliceAnswer, SliceQuestion, SliceStore } from './slice-store.ts';

/** A question that takes longer is given up, in milliseconds: calls wait for it. What became of it the next one finds out. */
const timeoutMs = 2_500;

interface AnswerRow {
  readonly budget_id: string;
  readonly period_start: Date;
  readonly state: SliceAnswer['state'];
  readonly granted: number;
  readonly free: number;
  readonly idle: number;
  readonly limit: number;
  readonly spent: number;
  readonly told: number | null;
}

/** `holdfast.lease_budgets`: all questions of one time in one statement, which decides under the locks of their windows. */
export function createDatabaseSliceStore(database: Pick<Database, 'query'>, clock: Clock): SliceStore {
  return {
    async lease(instanceId, questions) {
      const asked = sql<AnswerRow>`
        select * from holdfast.lease_budgets(${instanceId}::uuid, ${JSON.stringify(questions.map(toJson))}::jsonb)`.execute(
        database.query('jobs'),
      );
      const { rows } = await withinDeadline(clock, timeoutMs, 'leasing budgets', asked).catch((error: unknown) => {
        // A deadlock or a lock timeout says no more than an answer that never came.
        if (error instanceof HoldfastError) throw error;
        throw new HoldfastError('database_unavailable', { detail: 'leasing budgets failed', cause: error });
      });
      return rows.map((row) => ({
        budgetId: row.budget_id,
        periodStartMs: row.period_start.getTime(),
        state: row.state,
        grantedNano: row.granted,
        freeNano: row.free,
        idleNano: row.idle,
        limitNano: row.limit,
        spentNano: row.spent,
        toldPercent: row.told ?? undefined,
      }));
    },
  };
}

function toJson(question: SliceQuestion) {
  return {
    budget_id: question.budgetId,
    period_start: new Date(question.periodStartMs).toISOString(),
    period_end: Number.isFinite(question.periodEndMs) ? new Date(question.periodEndMs).toISOString() : null,
    version: question.version,
    counted_from: new Date(question.countedFromMs).toISOString(),
    spent: question.spentNano,
    reserved: question.reservedNano,
    keep: question.keepNano,
    need: question.needNano,
    want: question.wantNano,
    closes: question.closes,
  };
}

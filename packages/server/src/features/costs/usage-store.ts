import { sql, type Transaction } from 'kysely';
import type { UsageQuery } from '@holdfast/contracts';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { CallsTable, Schema } from '../../platform/postgres/index.ts';
import type { Selectable } from 'kysely';

export type CallRow = Selectable<CallsTable>;

/** What may be asked of the ledger: the filters of `GET /api/usage`, and where a page begins. */
export type UsageFilter = Omit<UsageQuery, 'limit' | 'cursor'>;

/** A clock that is set back may give a call an id from before its start, by so much at most. */
const idEarlierMs = 60_000;
/** A call's id is made when its body has arrived, which takes up to the longest `HOLDFAST_REQUEST_TIMEOUT_MS`; and a minute for the clock again. */
const idLaterMs = 3_600_000 + 60_000;

/** One page of calls, newest first. Time bounds are put on the id as well, so that old months are never read. */
export async function readCalls(
  transaction: Transaction<Schema>,
  filter: UsageFilter & { readonly organizationId?: string },
  page: { readonly limit: number; readonly beforeId: string | undefined },
): Promise<CallRow[]> {
  let query = transaction.selectFrom('holdfast.calls').selectAll().orderBy('id', 'desc').limit(page.limit);
  if (filter.organizationId !== undefined) query = query.where('organization_id', '=', filter.organizationId);
  if (page.beforeId !== undefined) query = query.where('id', '<', page.beforeId);
  if (filter.from !== undefined) {
    query = query.where('started_at', '>=', new Date(filter.from)).where('id', '>=', firstUuidV7At(Date.parse(filter.from) - idEarlierMs));
  }
  if (filter.to !== undefined) {
    query = query.where('started_at', '<', new Date(filter.to)).where('id', '<', firstUuidV7At(Date.parse(filter.to) + idLaterMs));
  }
  const equal = {
    key_id: filter.key_id,
    user_id: filter.user_id,
    model_asked: filter.model,
    provider: filter.provider,
    operation: filter.operation,
    request_id: filter.request_id,
    end_user: filter.end_user,
    feature: filter.feature,
  } as const;
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) query = query.where(sql.ref(column), '=', value);
  }
  if (filter.outcome !== undefined) {
    query = query.where('outcome', '=', filter.outcome);
    // Said again, because the index leaves completed calls out and the planner cannot tell from a parameter.
    if (filter.outcome !== 'completed') query = query.where('outcome', '<>', sql.lit('completed'));
  }
  return query.execute();
}

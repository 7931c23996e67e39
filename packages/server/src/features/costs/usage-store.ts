import { sql, type SelectQueryBuilder, type Selectable, type Transaction } from 'kysely';
import type { UsageQuery } from '@holdfast/contracts';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { CallsTable, Schema } from '../../platform/postgres/index.ts';

export type CallRow = Selectable<CallsTable>;

/** What may be asked of the ledger: the filters of `GET /api/usage`, and where a page begins. */
export type UsageFilter = Omit<UsageQuery, 'limit' | 'cursor'>;

export interface CallsPage {
  /** At most `limit`, newest first; fewer, even none, when the bound on what is read for one page was met before. */
  readonly rows: readonly CallRow[];
  /** Where the next page begins: before this id. Undefined when there is none. */
  readonly nextBeforeId: string | undefined;
}

/** A clock that is set back may give a call an id from before its start, by so much at most. */
const idEarlierMs = 60_000;
/** A call's id is made when its body has arrived, which takes up to the longest `HOLDFAST_REQUEST_TIMEOUT_MS`; and a minute for the clock again. */
const idLaterMs = 3_600_000 + 60_000;

/**
 * Calls that are read for one page at most, some 20 ms of work. Each index of the ledger is paid by every call, so there are
 * few: for filters without one, the calls are gone through, and a filter that nothing passes must not go through all of them.
 */
export const maxReadCalls = 20_000;

type CallsQuery = SelectQueryBuilder<Schema, 'holdfast.calls', object>;

/**
 * The equalities that have an index, best first: one of them at most finds the calls, the others then choose among those.
 * What is not here (model, provider, operation) has few values, each of them frequent.
 */
const indexed = [
  ['request_id', 'request_id'],
  ['end_user', 'end_user'],
  ['feature', 'feature'],
  ['user_id', 'user_id'],
  ['key_id', 'key_id'],
] as const;
const unindexed = [
  ['model', 'model_asked'],
  ['provider', 'provider'],
  ['operation', 'operation'],
] as const;

/** One page of calls, newest first. Time bounds are put on the id as well, so that old months are never read. */
export async function readCalls(
  transaction: Transaction<Schema>,
  filter: UsageFilter & { readonly organizationId?: string },
  page: { readonly limit: number; readonly beforeId: string | undefined },
): Promise<CallsPage> {
  const { found, chosen } = splitFilters(filter);
  let candidates: CallsQuery = transaction.selectFrom('holdfast.calls').orderBy('id', 'desc');
  if (filter.organizationId !== undefined) candidates = candidates.where('organization_id', '=', filter.organizationId);
  if (page.beforeId !== undefined) candidates = candidates.where('id', '<', page.beforeId);
  if (filter.from !== undefined) {
    candidates = candidates
      .where('started_at', '>=', new Date(filter.from))
      .where('id', '>=', firstUuidV7At(Date.parse(filter.from) - idEarlierMs));
  }
  if (filter.to !== undefined) {
    candidates = candidates
      .where('started_at', '<', new Date(filter.to))
      .where('id', '<', firstUuidV7At(Date.parse(filter.to) + idLaterMs));
  }
  for (const [column, value] of found) candidates = candidates.where(sql.ref(column), '=', value);
  // Said again, because the index leaves completed calls out and the planner cannot tell from a parameter.
  if (found.some(([column]) => column === 'outcome')) candidates = candidates.where('outcome', '<>', sql.lit('completed'));

  const wanted = page.limit + 1;
  if (chosen.length === 0) {
    const rows = await candidates.selectAll().limit(wanted).execute();
    return { rows: rows.slice(0, page.limit), nextBeforeId: rows.length > page.limit ? rows[page.limit - 1]!.id : undefined };
  }
  let query = transaction
    .selectFrom(candidates.selectAll().limit(maxReadCalls).as('calls'))
    .selectAll()
    .orderBy('id', 'desc')
    .limit(wanted);
  for (const [column, value] of chosen) query = query.where(sql.ref(`calls.${column}`), '=', value);
  const rows = await query.execute();
  if (rows.length > page.limit) return { rows: rows.slice(0, page.limit), nextBeforeId: rows[page.limit - 1]!.id };
  const last = await candidates
    .select('id')
    .offset(maxReadCalls - 1)
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return { rows, nextBeforeId: undefined };
  // Calls that were added since the first statement move its end towards newer ones: never back over what has been handed out.
  const lastRow = rows.at(-1);
  return { rows, nextBeforeId: lastRow !== undefined && lastRow.id < last.id ? lastRow.id : last.id };
}

type Equality = readonly [column: string, value: string];

/** Which filters the database finds calls by, and which are then applied to what it found. */
function splitFilters(filter: UsageFilter): { found: readonly Equality[]; chosen: readonly Equality[] } {
  const given = (names: readonly (readonly [keyof UsageFilter, string])[]): Equality[] =>
    names.flatMap(([name, column]) => {
      const value = filter[name];
      return value === undefined ? [] : [[column, value] as const];
    });
  const outcome: readonly Equality[] = filter.outcome === undefined ? [] : [['outcome', filter.outcome]];
  const [best, ...others] = [...given(indexed), ...(filter.outcome === 'completed' ? [] : outcome)];
  return {
    found: best === undefined ? [] : [best],
    chosen: [...others, ...given(unindexed), ...(filter.outcome === 'completed' ? outcome : [])],
  };
}

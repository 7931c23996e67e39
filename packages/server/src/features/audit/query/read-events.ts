import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { AuditEventsQuery } from '@holdfast/contracts';
import type { Schema } from '../../../platform/postgres/index.ts';

export type AuditFilter = Omit<AuditEventsQuery, 'limit' | 'cursor' | 'organization_id' | 'personal'>;

export interface LoggedLeaf {
  readonly index: number;
  readonly leaf: string;
}

export interface LeafPage {
  /** At most `limit`, the last in the log first. */
  readonly rows: readonly LoggedLeaf[];
  /** Where the next page begins: before this index. Undefined when there is none. */
  readonly nextBeforeIndex: number | undefined;
}

/** Events that are read for one page at most, some 20 ms of work: a filter that nothing passes must not go through all of them. */
const maxReadEvents = 20_000;

type Rows = SelectQueryBuilder<Schema, 'holdfast.audit_log', object>;
type Column = 'user_id' | 'type' | 'outcome' | 'actor_id' | 'resource_type' | 'resource_id' | 'request_id';
const filterable = ['index', 'leaf', 'type', 'outcome', 'actor_id', 'resource_type', 'resource_id', 'request_id'] as const;

/**
 * One page, in the order of the log. The best filter that has an index finds events, as many as one page may cost; the others choose among
 * those. Times choose with the first, since events are not in their order: some reach the log late.
 */
export async function readEvents(
  database: Kysely<Schema>,
  organizationId: string | null | undefined,
  filter: AuditFilter,
  page: { readonly limit: number; readonly beforeIndex: number | undefined },
): Promise<LeafPage> {
  const { found, chosen } = splitFilters(filter);
  let candidates: Rows = database.selectFrom('holdfast.audit_log');
  // The numbers of one organization have the order of the log, and an index.
  candidates =
    organizationId === undefined || found.some(([column]) => column === 'user_id')
      ? candidates.orderBy('index', 'desc')
      : candidates.orderBy('number', 'desc');
  if (organizationId === null) candidates = candidates.where('organization_id', 'is', null);
  else if (organizationId !== undefined) candidates = candidates.where('organization_id', '=', organizationId);
  if (page.beforeIndex !== undefined) candidates = candidates.where('index', '<', page.beforeIndex);
  if (filter.from !== undefined) candidates = candidates.where('at', '>=', new Date(filter.from));
  if (filter.to !== undefined) candidates = candidates.where('at', '<', new Date(filter.to));
  for (const [column, value] of found) candidates = candidates.where(column, '=', value);
  // Said again, because the indexes leave these out and the planner cannot tell from a parameter.
  for (const [column] of found) {
    const frequent = frequentValues[column];
    if (frequent !== undefined) candidates = candidates.where(column, '<>', sql.lit(frequent));
  }

  let query = database
    .selectFrom(candidates.select(filterable).limit(maxReadEvents).as('events'))
    .select(['index', 'leaf'])
    .orderBy('index', 'desc')
    .limit(page.limit + 1);
  for (const [column, value] of chosen) {
    query =
      column === 'type' && value.endsWith('*')
        ? query.where(sql<boolean>`starts_with(type, ${value.slice(0, -1)})`)
        : query.where(sql.ref(`events.${column}`), '=', value);
  }
  const rows = await query.execute();
  if (rows.length > page.limit) return { rows: rows.slice(0, page.limit), nextBeforeIndex: rows[page.limit - 1]!.index };
  if (chosen.length === 0) return { rows, nextBeforeIndex: undefined };
  const last = await candidates
    .select('index')
    .offset(maxReadEvents - 1)
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return { rows, nextBeforeIndex: undefined };
  // Events that were added since the first statement move its end towards newer ones: never back over what has been handed out.
  return { rows, nextBeforeIndex: Math.min(rows.at(-1)?.index ?? last.index, last.index) };
}

/** An event by its id, if it is of this organization. */
export async function findEvent(
  database: Kysely<Schema>,
  organizationId: string | null | undefined,
  id: string,
): Promise<LoggedLeaf | undefined> {
  let query = database.selectFrom('holdfast.audit_log').select(['index', 'leaf']).where('id', '=', id);
  if (organizationId === null) query = query.where('organization_id', 'is', null);
  else if (organizationId !== undefined) query = query.where('organization_id', '=', organizationId);
  return query.executeTakeFirst();
}

type Equality = readonly [column: Column, value: string];

/** What most events have, and so has no place in the index of its column. */
const frequentValues: Partial<Record<Column, string>> = { type: 'model.called', resource_type: 'model', outcome: 'success' };

function splitFilters(filter: AuditFilter): { found: readonly Equality[]; chosen: readonly Equality[] } {
  const found: Equality[] = [];
  const chosen: Equality[] = [];
  const one = (indexed: boolean, ...equalities: readonly Equality[]): void => {
    (indexed && found.length === 0 ? found : chosen).push(...equalities);
  };
  if (filter.resource_id !== undefined && filter.resource_type !== undefined)
    one(
      filter.resource_type !== frequentValues.resource_type,
      ['resource_type', filter.resource_type],
      ['resource_id', filter.resource_id],
    );
  else {
    if (filter.resource_type !== undefined) one(false, ['resource_type', filter.resource_type]);
    if (filter.resource_id !== undefined) one(false, ['resource_id', filter.resource_id]);
  }
  // Not a choice: `user_id` is no column of what was found.
  if (filter.user_id !== undefined) found.push(['user_id', filter.user_id]);
  if (filter.type !== undefined) one(!filter.type.endsWith('*') && filter.type !== frequentValues.type, ['type', filter.type]);
  if (filter.outcome !== undefined) one(filter.outcome !== frequentValues.outcome, ['outcome', filter.outcome]);
  if (filter.actor_id !== undefined) one(false, ['actor_id', filter.actor_id]);
  if (filter.request_id !== undefined) one(false, ['request_id', filter.request_id]);
  return { found, chosen };
}

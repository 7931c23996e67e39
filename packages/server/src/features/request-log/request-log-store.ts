import { sql, type Selectable, type SelectQueryBuilder } from 'kysely';
import type { RequestLogQuery } from '@holdfast/contracts';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { Database, RequestLogTable, Schema } from '../../platform/postgres/index.ts';

export type RequestRow = Omit<Selectable<RequestLogTable>, 'at'> & { readonly at: string };
export type StoredRequest = Selectable<RequestLogTable>;
export type RequestFilter = Omit<RequestLogQuery, 'limit' | 'cursor'>;

export interface RequestPage {
  /** At most `limit`, newest first; fewer, even none, when the bound on what is read for one page was met before. Without content. */
  readonly rows: readonly StoredRequest[];
  /** Where the next page begins: before this id. Undefined when there is none. */
  readonly nextBeforeId: string | undefined;
}

/** All throw `database_unavailable` while it is away. */
export interface RequestLogStore {
  /** In one statement. May be repeated. */
  write(rows: readonly RequestRow[]): Promise<void>;
  read(filter: RequestFilter, page: { readonly limit: number; readonly beforeId: string | undefined }): Promise<RequestPage>;
  /** With content. */
  find(id: string): Promise<StoredRequest | undefined>;
  /** Removes at most `limit` that are older; returns how many. */
  removeBefore(beforeMs: number, limit: number): Promise<number>;
  /** When the request was logged behind which there are `rows` newer ones, in Unix milliseconds; undefined when there are fewer. */
  momentBehind(rows: number): Promise<number | undefined>;
}

/** Rows that are read for one page at most: a filter without an index must not go through all of them. */
const maxReadRows = 20_000;

/** Newer first by id, which is made as the request ends: `at` and the id are the same moment. */
const listed = [
  ...(['id', 'at', 'instance', 'request_id', 'trace_id', 'call_id', 'organization_id', 'key_id', 'user_id', 'method', 'route'] as const),
  ...(['status', 'error_code', 'latency_ms', 'request_bytes', 'response_bytes'] as const),
] as const;

type Rows = SelectQueryBuilder<Schema, 'holdfast.request_log', object>;

export function createRequestLogStore(database: Pick<Database, 'query'>): RequestLogStore {
  return {
    async write(rows) {
      // One parameter whatever the number of rows: one statement to plan, and no limit of 65,535 parameters.
      await sql`
        insert into holdfast.request_log (id, at, instance, request_id, trace_id, call_id, organization_id, key_id, user_id, method, route,
          status, error_code, latency_ms, request_bytes, response_bytes, request_content, response_content)
        select * from json_to_recordset(${JSON.stringify(rows)}::json) as r (id uuid, at timestamptz, instance text, request_id text,
          trace_id text, call_id uuid, organization_id uuid, key_id uuid, user_id uuid, method text, route text, status int, error_code text,
          latency_ms double precision, request_bytes bigint, response_bytes bigint, request_content text, response_content text)
        on conflict (id) do nothing`.execute(database.query('jobs'));
    },
    async read(filter, { limit, beforeId }) {
      let candidates: Rows = database.query('operator').selectFrom('holdfast.request_log').orderBy('id', 'desc');
      if (beforeId !== undefined) candidates = candidates.where('id', '<', beforeId);
      if (filter.from !== undefined) candidates = candidates.where('id', '>=', firstUuidV7At(Date.parse(filter.from)));
      if (filter.to !== undefined) candidates = candidates.where('id', '<', firstUuidV7At(Date.parse(filter.to)));
      if (filter.request_id !== undefined) candidates = candidates.where('request_id', '=', filter.request_id);
      else if (filter.organization_id !== undefined) candidates = candidates.where('organization_id', '=', filter.organization_id);
      let query = database
        .query('operator')
        .selectFrom(candidates.select(listed).limit(maxReadRows).as('rows'))
        .select(listed)
        .select([sql.lit<null>(null).as('request_content'), sql.lit<null>(null).as('response_content')])
        .orderBy('id', 'desc')
        .limit(limit + 1);
      for (const name of ['organization_id', 'key_id', 'user_id', 'method', 'route', 'error_code'] as const) {
        const value = filter[name];
        if (value !== undefined) query = query.where(name, '=', value);
      }
      if (filter.status !== undefined) {
        const [low, high] = statusRange(filter.status);
        query = query.where('status', '>=', low).where('status', '<=', high);
      }
      if (filter.min_latency_ms !== undefined) query = query.where('latency_ms', '>=', filter.min_latency_ms);
      const rows = await query.execute();
      if (rows.length > limit) return { rows: rows.slice(0, limit), nextBeforeId: rows[limit - 1]!.id };
      const last = await candidates
        .select('id')
        .offset(maxReadRows - 1)
        .limit(1)
        .executeTakeFirst();
      if (last === undefined) return { rows, nextBeforeId: undefined };
      // Rows that came since the first statement move its end towards newer ones: never back over what has been handed out.
      const lastRow = rows.at(-1);
      return { rows, nextBeforeId: lastRow !== undefined && lastRow.id < last.id ? lastRow.id : last.id };
    },
    find: (id) => database.query('operator').selectFrom('holdfast.request_log').selectAll().where('id', '=', id).executeTakeFirst(),
    async removeBefore(beforeMs, limit) {
      const { numAffectedRows } = await sql`delete from holdfast.request_log where id in (
        select id from holdfast.request_log where id < ${firstUuidV7At(beforeMs)} order by id limit ${limit})`.execute(
        database.query('jobs'),
      );
      return Number(numAffectedRows ?? 0);
    },
    async momentBehind(rows) {
      const found = await database
        .query('jobs')
        .selectFrom('holdfast.request_log')
        .select('at')
        .orderBy('id', 'desc')
        .offset(rows)
        .limit(1)
        .executeTakeFirst();
      return found?.at.getTime();
    },
  };
}

/** `404`, or `4xx` for all that begin so. */
function statusRange(status: string): readonly [number, number] {
  const first = Number(status.charAt(0)) * 100;
  return status.endsWith('xx') ? [first, first + 99] : [Number(status), Number(status)];
}

import { sql, type Kysely, type Selectable, type SelectQueryBuilder } from 'kysely';
import type { RequestLogQuery } from '@holdfast/contracts';
import { firstUuidV7At } from '@holdfast/kit/time';
import { compositeArray, type Database, type RequestLogTable, type Schema } from '../../platform/postgres/index.ts';
import { requestRowColumns, requestRowType } from './request-row.ts';

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
  /** In one statement, each as `requestRowBytes` made it. May be repeated. */
  write(rows: readonly Buffer[]): Promise<void>;
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
  let rowOid: number | undefined;
  return {
    async write(rows) {
      const jobs = database.query('jobs');
      rowOid ??= await typeOid(jobs);
      try {
        // One binary array whatever the number of rows (decision 0013): one statement to plan, and little to read for the database.
        await sql`
          insert into holdfast.request_log (${sql.raw(requestRowColumns)})
          select ${sql.raw(requestRowColumns)} from unnest(${compositeArray(rowOid, rows)}::${sql.raw(requestRowType)}[])
          on conflict (id) do nothing`.execute(jobs);
      } catch (error) {
        // A database that was restored has given the type another number.
        rowOid = undefined;
        throw error;
      }
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

async function typeOid(database: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ oid: number }>`select ${requestRowType}::regtype::oid as oid`.execute(database);
  return rows[0]!.oid;
}

/** `404`, or `4xx` for all that begin so. */
function statusRange(status: string): readonly [number, number] {
  const first = Number(status.charAt(0)) * 100;
  return status.endsWith('xx') ? [first, first + 99] : [Number(status), Number(status)];
}

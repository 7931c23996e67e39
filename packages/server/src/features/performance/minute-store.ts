import { sql } from 'kysely';
import type { Database } from '../../platform/postgres/index.ts';

/** A minute as one run of a server saw it. What `record` says is known to those who write and merge it. */
export interface StoredMinute {
  /** Unix milliseconds at which the minute began. */
  readonly minute: number;
  readonly source: string;
  readonly record: object;
}

/** What `after` of a page is taken from. */
export type MinuteKey = Pick<StoredMinute, 'minute' | 'source'>;

export interface MinuteStore {
  /** Replaces what was stored of the same minutes. May be repeated. */
  write(minutes: readonly StoredMinute[]): Promise<void>;
  /** Minutes from `fromMs` on, oldest first, at most `limit`. */
  read(fromMs: number, limit: number, after: MinuteKey | undefined): Promise<readonly StoredMinute[]>;
  /** The latest minutes from `fromMs` on with the instance that stored them, newest first, at most `limit`. */
  readLatest(fromMs: number, limit: number): Promise<readonly (StoredMinute & { readonly instance: string })[]>;
  removeBefore(beforeMs: number): Promise<void>;
}

/** All throw `database_unavailable` while it is away. `instance` is what operators know this server by. */
export function createMinuteStore(database: Pick<Database, 'query'>, instance: string): MinuteStore {
  return {
    async write(minutes) {
      const rows = minutes.map(({ minute, source, record }) => ({
        minute: new Date(minute),
        source,
        instance,
        record: JSON.stringify(record),
      }));
      if (rows.length === 0) return;
      await database
        .query('jobs')
        .insertInto('holdfast.metric_minutes')
        .values(rows)
        .onConflict((conflict) => conflict.columns(['minute', 'source']).doUpdateSet({ record: sql.ref('excluded.record') }))
        .execute();
    },
    async read(fromMs, limit, after) {
      let query = database
        .query('operator')
        .selectFrom('holdfast.metric_minutes')
        .select(['minute', 'source', 'record'])
        .where('minute', '>=', new Date(fromMs))
        .orderBy('minute')
        .orderBy('source')
        .limit(limit);
      if (after) query = query.where(sql<boolean>`(minute, source) > (${new Date(after.minute)}, ${after.source}::uuid)`);
      const rows = await query.execute();
      return rows.map(({ minute, source, record }) => ({ minute: minute.getTime(), source, record: record as object }));
    },
    async readLatest(fromMs, limit) {
      const rows = await database
        .query('operator')
        .selectFrom('holdfast.metric_minutes')
        .select(['minute', 'source', 'instance', 'record'])
        .where('minute', '>=', new Date(fromMs))
        .orderBy('minute', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...row, minute: row.minute.getTime(), record: row.record as object }));
    },
    async removeBefore(beforeMs) {
      await database.query('jobs').deleteFrom('holdfast.metric_minutes').where('minute', '<', new Date(beforeMs)).execute();
    },
  };
}

import { sql } from 'kysely';
import type { Database, DatabaseRole } from '../postgres/index.ts';
import type { ChangeSignal, ChangeSource } from './change-source.ts';

/** Beyond this many changes at once it is cheaper to read everything anew than to name them. */
const maxChanges = 1000;

export interface DatabaseChangeSourceOptions {
  readonly database: Pick<Database, 'query'>;
  /** Reads `id`, `changed_in` and `changed_at` of the table. */
  readonly role: DatabaseRole;
  /**
   * Has an indexed column `changed_in xid8` that every change sets to `pg_current_xact_id()`, and `changed_at`, its time. A deleted
   * row is not seen: where rows are deleted, the table must be one of changes, apart from what it tells of.
   */
  readonly table: string;
  /** The column that names what changed. */
  readonly id: string;
}

export function createDatabaseChangeSource({ database, role, table, id }: DatabaseChangeSourceOptions): ChangeSource {
  return {
    async changesSince(mark) {
      // Transaction ids, not a sequence: what took a lower number may be committed later, and would be passed over. Everything below
      // the snapshot's xmin is decided for good, so the next question begins there.
      const { rows } = await sql<{ mark: string; id: string | null; stamp: string | null }>`
        select pg_snapshot_xmin(pg_current_snapshot())::text as mark, change.id, change.stamp
        from (select 1) as always
        left join lateral (
          select ${sql.ref(id)}::text as id, changed_in::text as stamp from ${sql.table(table)}
          where changed_in >= ${mark ?? null}::text::xid8
            -- In a database that was restored elsewhere old rows carry numbers that are yet to come.
            and changed_at > now() - interval '1 hour'
          limit ${maxChanges + 1}
        ) as change on true`.execute(database.query(role));
      const changes = rows.flatMap((row) => (row.id === null || row.stamp === null ? [] : [{ id: row.id, stamp: row.stamp }]));
      const next = rows[0]?.mark;
      if (next === undefined) throw new Error('the database named no snapshot');
      return { mark: next, changes, truncated: changes.length > maxChanges };
    },
  };
}

/** Notifications on a channel whose payload is the id of what changed. */
export function createDatabaseChangeSignal({ notifications }: Pick<Database, 'notifications'>, channel: string): ChangeSignal {
  return {
    subscribe: (listener) => notifications.subscribe(channel, listener),
    onStateChange: (listener) => notifications.onStateChange(listener),
  };
}

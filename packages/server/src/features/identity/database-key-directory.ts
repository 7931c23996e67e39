import { sql } from 'kysely';
import type { Database } from '../../platform/postgres/index.ts';
import type { KeyChangeSignal, KeyDirectory } from './key-directory.ts';
import { digestFromBytes, digestToBytes } from './key-hash.ts';

/** Beyond this many changes at once it is cheaper to forget everything than to name them. */
const maxChanges = 1000;

/** The directory as the role `authenticator`, which reads what a check needs of all organizations and nothing else. `jobs` writes times of use. */
export function createDatabaseKeyDirectory(database: Pick<Database, 'query'>): KeyDirectory {
  return {
    async find(digests) {
      const rows = await database
        .query('authenticator')
        .selectFrom('holdfast.api_keys')
        .select(['id', 'organization_id', 'user_id', 'hash', 'scopes', 'allowed_models', 'expires_at', 'revoked_at'])
        // One array parameter, so that every size of batch is one prepared statement.
        .where('hash', '=', sql<Buffer>`any(${digests.map(digestToBytes)}::bytea[])`)
        .execute();
      return rows.map((row) => ({
        keyId: row.id,
        organizationId: row.organization_id,
        userId: row.user_id ?? undefined,
        digest: digestFromBytes(row.hash),
        scopes: row.scopes,
        allowedModels: row.allowed_models ?? undefined,
        expiresAtMs: row.expires_at?.getTime(),
        revoked: row.revoked_at !== null,
      }));
    },

    async changesSince(mark) {
      // Transaction ids, not a sequence: what took a lower number may be committed later, and would be passed over. Everything below
      // the snapshot's xmin is decided for good, so the next question begins there.
      const { rows } = await sql<{ mark: string; key_id: string | null; stamp: string | null }>`
        select pg_snapshot_xmin(pg_current_snapshot())::text as mark, change.key_id, change.changed_in::text as stamp
        from (select 1) as always
        left join lateral (
          select key_id, changed_in from holdfast.key_changes
          where changed_in >= ${mark ?? null}::text::xid8
            -- In a database that was restored elsewhere old rows carry numbers that are yet to come.
            and changed_at > now() - interval '1 hour'
          limit ${maxChanges + 1}
        ) as change on true`.execute(database.query('authenticator'));
      const changes = rows.flatMap(({ key_id, stamp }) => (key_id === null || stamp === null ? [] : [{ keyId: key_id, stamp }]));
      const next = rows[0]?.mark;
      if (next === undefined) throw new Error('the database named no snapshot');
      return { mark: next, changes, truncated: changes.length > maxChanges };
    },

    async markUsed(uses) {
      await sql`
        update holdfast.api_keys as key
        set last_used_at = used.at
        from unnest(${uses.map((use) => use.keyId)}::uuid[], ${uses.map((use) => new Date(use.atMs))}::timestamptz[]) as used (id, at)
        where key.id = used.id and (key.last_used_at is null or key.last_used_at < used.at)`.execute(database.query('jobs'));
    },
  };
}

export function createDatabaseKeySignal({ notifications }: Pick<Database, 'notifications'>): KeyChangeSignal {
  return {
    subscribe: (listener) => notifications.subscribe('holdfast_keys', listener),
    onStateChange: (listener) => notifications.onStateChange(listener),
  };
}

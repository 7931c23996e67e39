import { sql } from 'kysely';
import { createDatabaseChangeSignal, createDatabaseChangeSource, type ChangeSignal } from '../../platform/change-feed/index.ts';
import type { Database } from '../../platform/postgres/index.ts';
import type { KeyDirectory } from './key-directory.ts';
import { fromFields, toCallRateLimits } from './key-rate-limits.ts';
import { digestFromBytes, digestToBytes } from './key-hash.ts';

/** The directory as the role `authenticator`, which reads what a check needs of all organizations and nothing else. `jobs` writes times of use. */
export function createDatabaseKeyDirectory(database: Pick<Database, 'query'>): KeyDirectory {
  return {
    ...createDatabaseChangeSource({ database, role: 'authenticator', table: 'holdfast.key_changes', id: 'key_id' }),

    async find(digests) {
      const rows = await database
        .query('authenticator')
        .selectFrom('holdfast.api_keys as key')
        .innerJoin('identity.organization as organization', 'organization.id', 'key.organization_id')
        .select([
          'key.id',
          'organization_id',
          'organization.tier',
          'user_id',
          'hash',
          'scopes',
          'allowed_models',
          'expires_at',
          'revoked_at',
          'requests_per_minute',
          'tokens_per_minute',
          'concurrent',
        ])
        // One array parameter, so that every size of batch is one prepared statement.
        .where('hash', '=', sql<Buffer>`any(${digests.map(digestToBytes)}::bytea[])`)
        .execute();
      return rows.map((row) => ({
        keyId: row.id,
        organizationId: row.organization_id,
        organizationTier: row.tier,
        userId: row.user_id ?? undefined,
        digest: digestFromBytes(row.hash),
        scopes: row.scopes,
        allowedModels: row.allowed_models ?? undefined,
        rateLimits: toCallRateLimits(fromFields(row)),
        expiresAtMs: row.expires_at?.getTime(),
        revoked: row.revoked_at !== null,
      }));
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

export function createDatabaseKeySignal(database: Pick<Database, 'notifications'>): ChangeSignal {
  return createDatabaseChangeSignal(database, 'holdfast_keys');
}

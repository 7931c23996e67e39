import { sql, type Insertable, type Selectable, type Transaction } from 'kysely';
import type { AuditTrail, NewAuditEvent } from '../../platform/audit/index.ts';
import type { ApiKeysTable, Database, Schema } from '../../platform/postgres/index.ts';
import type { ApiKey } from './api-key.ts';
import { fromFields, type KeyRateLimitChanges } from './key-rate-limits.ts';
import { isScope } from './stored-principal.ts';

export interface KeyPage {
  /** At most this many, newest first. */
  readonly limit: number;
  /** Keys made before this one; undefined begins with the newest. */
  readonly beforeId: string | undefined;
}

export type NewKeyRow = Insertable<ApiKeysTable>;

/** At least one; what is left out stays as it is. */
export type KeyChanges = KeyRateLimitChanges & { readonly name?: string | undefined };

/** The keys of one organization, within one transaction of it. */
export interface KeyRows {
  insert(row: NewKeyRow): Promise<ApiKey>;
  list(page: KeyPage): Promise<readonly ApiKey[]>;
  get(id: string): Promise<ApiKey | undefined>;
  /** The row stays locked until the transaction ends. */
  getForUpdate(id: string): Promise<ApiKey | undefined>;
  setRevoked(id: string, at: Date): Promise<ApiKey>;
  /** Undefined when there is none. */
  change(id: string, changes: KeyChanges): Promise<ApiKey | undefined>;
  setReplaced(id: string, by: string, expiresAt: Date): Promise<ApiKey>;
  /** Tells the audit log, in the same transaction. */
  tell(event: NewAuditEvent): Promise<void>;
}

export interface KeyStore {
  /** Sees and touches the rows of one organization only; row-level security holds it to that. */
  inOrganization<T>(organizationId: string, work: (rows: KeyRows) => Promise<T>): Promise<T>;
  /**
   * Revokes a key that carries the scope `operator`, unless no other would be left in the whole instance that is neither revoked,
   * expired at `at`, nor about to end because it was replaced: then `undefined`. Two at once never revoke the last two.
   * `event` is told in the same transaction.
   */
  revokeOperatorKey(organizationId: string, id: string, at: Date, event: (revoked: ApiKey) => NewAuditEvent): Promise<ApiKey | undefined>;
}

/** Taken by whoever may take an operator's key away. Held until the transaction ends; the number is arbitrary and ours alone. */
const operatorKeysLock = 4_862_910_311;

export function createKeyStore(database: Pick<Database, 'withOrganization' | 'asOperator'>, audit: Pick<AuditTrail, 'write'>): KeyStore {
  return {
    inOrganization: (organizationId, work) =>
      database.withOrganization(organizationId, (transaction) => work(keyRows(transaction, organizationId, audit))),
    revokeOperatorKey: (organizationId, id, at, event) =>
      database.asOperator(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${operatorKeysLock}::bigint)`.execute(transaction);
        const { others } = await transaction
          .selectFrom('holdfast.api_keys')
          .select((eb) => eb.fn.countAll<number>().as('others'))
          .where('id', '!=', id)
          .where('revoked_at', 'is', null)
          .where('replaced_by', 'is', null)
          .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
          .where(sql<boolean>`scopes @> array['operator']`)
          .executeTakeFirstOrThrow();
        if (others === 0) return undefined;
        const rows = keyRows(transaction, organizationId, audit);
        const revoked = await rows.setRevoked(id, at);
        await rows.tell(event(revoked));
        return revoked;
      }),
  };
}

/** The organization is in every statement as well: row-level security is the second lock on that door, not the only one. */
function keyRows(transaction: Transaction<Schema>, organizationId: string, audit: Pick<AuditTrail, 'write'>): KeyRows {
  const select = () => transaction.selectFrom('holdfast.api_keys').selectAll().where('organization_id', '=', organizationId);
  const update = (id: string) =>
    transaction.updateTable('holdfast.api_keys').where('organization_id', '=', organizationId).where('id', '=', id);
  return {
    tell: (event) => audit.write(transaction, event),
    async insert(row) {
      return toApiKey(await transaction.insertInto('holdfast.api_keys').values(row).returningAll().executeTakeFirstOrThrow());
    },
    async list({ limit, beforeId }) {
      const newestFirst = select().orderBy('id', 'desc').limit(limit);
      const rows = await (beforeId === undefined ? newestFirst : newestFirst.where('id', '<', beforeId)).execute();
      return rows.map(toApiKey);
    },
    async get(id) {
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row && toApiKey(row);
    },
    async getForUpdate(id) {
      const row = await select().where('id', '=', id).forUpdate().executeTakeFirst();
      return row && toApiKey(row);
    },
    // Revoking twice keeps the first time.
    setRevoked: async (id, at) =>
      toApiKey(
        await update(id)
          .set({ revoked_at: sql`coalesce(revoked_at, ${at})` })
          .returningAll()
          .executeTakeFirstOrThrow(),
      ),
    async change(id, changes) {
      const row = await update(id).set(changes).returningAll().executeTakeFirst();
      return row && toApiKey(row);
    },
    setReplaced: async (id, by, expiresAt) =>
      toApiKey(await update(id).set({ replaced_by: by, expires_at: expiresAt }).returningAll().executeTakeFirstOrThrow()),
  };
}

export function toApiKey(row: Selectable<ApiKeysTable>): ApiKey {
  return {
    id: row.id,
    organizationId: row.organization_id,
    userId: row.user_id ?? undefined,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes.filter(isScope),
    allowedModels: row.allowed_models ?? undefined,
    rateLimits: fromFields(row),
    createdAt: row.created_at,
    createdByKeyId: row.created_by_key_id ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    replacedBy: row.replaced_by ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

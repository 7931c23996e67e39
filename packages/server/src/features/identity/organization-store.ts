import type { Transaction } from 'kysely';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';
import type { Database, Schema } from '../../platform/postgres/index.ts';
import type { Organization } from './organization.ts';

export interface OrganizationPage {
  readonly limit: number;
  /** Organizations made before this one; undefined begins with the newest. */
  readonly beforeId: string | undefined;
}

/** All organizations of the instance, for its operator. */
export interface OrganizationStore {
  list(page: OrganizationPage): Promise<readonly Organization[]>;
  get(id: string): Promise<Organization | undefined>;
  findBySlug(slug: string): Promise<Organization | undefined>;
  /** Undefined when there is none. Every instance learns of it as of a revoked key, and the audit log in the same transaction. */
  setTier(id: string, tier: string, by: Initiator): Promise<Organization | undefined>;
}

const columns = ['id', 'name', 'slug', 'tier', 'createdAt'] as const;

export function createOrganizationStore(database: Pick<Database, 'asOperator'>, audit: Pick<AuditTrail, 'write'>): OrganizationStore {
  const select = (transaction: Transaction<Schema>) => transaction.selectFrom('identity.organization').select(columns);
  return {
    list: ({ limit, beforeId }) =>
      database.asOperator((transaction) => {
        const newestFirst = select(transaction).orderBy('id', 'desc').limit(limit);
        return (beforeId === undefined ? newestFirst : newestFirst.where('id', '<', beforeId)).execute();
      }),
    get: (id) => database.asOperator((transaction) => select(transaction).where('id', '=', id).executeTakeFirst()),
    findBySlug: (slug) => database.asOperator((transaction) => select(transaction).where('slug', '=', slug).executeTakeFirst()),
    setTier: (id, tier, by) =>
      database.asOperator(async (transaction) => {
        const before = await select(transaction).where('id', '=', id).forUpdate().executeTakeFirst();
        if (before === undefined) return undefined;
        const changed = await transaction
          .updateTable('identity.organization')
          .set({ tier })
          .where('id', '=', id)
          .returning(columns)
          .executeTakeFirstOrThrow();
        await audit.write(transaction, {
          type: 'organization.changed',
          organizationId: id,
          by,
          resource: { type: 'organization', id },
          details: { tier, tier_before: before.tier },
        });
        return changed;
      }),
  };
}

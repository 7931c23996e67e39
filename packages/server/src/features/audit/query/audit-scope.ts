import { HoldfastError } from '@holdfast/kit/errors';
import type { Kysely, Transaction } from 'kysely';
import type { Database, Schema } from '../../../platform/postgres/index.ts';

/** Whose part of the log somebody may see, or has asked for. */
export interface AuditScope {
  /** Of one organization; null for the instance's own; undefined for all. */
  readonly organizationId: string | null | undefined;
  /** Past the organization's own connection: for operators. */
  readonly asOperator: boolean;
}

export type ScopedDatabase = Pick<Database, 'withOrganization' | 'asOperator' | 'query'>;

/**
 * What a key gets to see: an operator's all, or the part that it asks for; every other its own organization's. What is not its own does not exist
 * for it: `resource_not_found`.
 */
export function scopeOf(
  principal: { readonly organizationId: string; readonly scopes: ReadonlySet<string> },
  asked: string | undefined,
): AuditScope {
  if (principal.scopes.has('operator')) return { organizationId: asked === 'instance' ? null : asked?.toLowerCase(), asOperator: true };
  if (asked !== undefined && asked.toLowerCase() !== principal.organizationId) throw new HoldfastError('resource_not_found');
  return { organizationId: principal.organizationId, asOperator: false };
}

/** One transaction that can see the scope. For who is no operator the database itself shows no more. */
export function withScope<T>(
  database: ScopedDatabase,
  { organizationId, asOperator }: AuditScope,
  work: (transaction: Transaction<Schema> | Kysely<Schema>) => Promise<T>,
): Promise<T> {
  if (asOperator) return database.asOperator(work);
  if (typeof organizationId !== 'string') throw new HoldfastError('internal_error', { detail: 'who is no operator has an organization' });
  return database.withOrganization(organizationId, work);
}

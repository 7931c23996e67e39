import { sql } from 'kysely';
import type { Database } from '../postgres/index.ts';
import type { Initiator } from './audit-event.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { PersonalKind, PersonalReferences } from './personal-references.ts';

export interface PersonalValue {
  readonly organizationId: string | null;
  readonly kind: PersonalKind;
  readonly value: string;
}

/**
 * Shreds every reference to a value in the events of an organization: salt and value are deleted, the events stay as they are, and nobody can
 * tell any more whom they mean. In one transaction with an event about it, which does not say whom either. Resolves with how many there were.
 *
 * What PostgreSQL keeps of deleted rows goes with the next vacuum, and from archives and backups with their own retention. An instance that has
 * the value in memory writes its references of the day on; they lead nowhere.
 */
export async function erasePersonalData(
  database: Pick<Database, 'asOperator'>,
  { references, trail }: { readonly references: PersonalReferences; readonly trail: Pick<AuditTrail, 'write'> },
  { organizationId, kind, value }: PersonalValue,
  by: Initiator,
): Promise<number> {
  const tags = references.tags(organizationId, kind, value).map((tag) => `\\x${tag.toString('hex')}`);
  const erased = await database.asOperator(async (transaction) => {
    const { numAffectedRows } = await sql`
      delete from holdfast.audit_personal
      where organization_id is not distinct from ${organizationId}::uuid and kind = ${kind} and tag = any(${tags}::bytea[])`.execute(
      transaction,
    );
    const count = Number(numAffectedRows ?? 0n);
    await trail.write(transaction, { type: 'personal_data.erased', organizationId, by, details: { kind, references: count } });
    return count;
  });
  references.forget(organizationId, kind, value);
  return erased;
}

/** What a reference stands for. */
export interface PersonalData {
  readonly kind: PersonalKind;
  readonly value: string;
}

/** Those of the references that can be resolved: not the shredded ones, and none whose row is not what was written. */
export async function revealPersonalData(
  database: Pick<Database, 'asOperator'>,
  references: PersonalReferences,
  refs: readonly string[],
): Promise<ReadonlyMap<string, PersonalData>> {
  if (refs.length === 0) return new Map();
  const rows = await database.asOperator((transaction) =>
    transaction
      .selectFrom('holdfast.audit_personal')
      .select(['ref', 'kind', 'salt', 'sealed'])
      .where('ref', '=', sql<string>`any(${[...refs]}::text[])`)
      .execute(),
  );
  const found = new Map<string, PersonalData>();
  for (const { kind, ...row } of rows) {
    const value = references.reveal(row);
    if (value !== undefined) found.set(row.ref, { kind: kind as PersonalKind, value });
  }
  return found;
}

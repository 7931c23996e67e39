import { sql, type Transaction } from 'kysely';
import type { Schema } from '../postgres/index.ts';
import type { WrittenEvent } from './audit-event.ts';

/**
 * Puts events into the inbox, where the sequencer finds them, with what they refer to. Part of the caller's transaction: they exist
 * exactly when it is committed. The references MUST be fresh ones, which no other transaction writes.
 */
export async function insertEvents(transaction: Transaction<Schema>, events: readonly WrittenEvent[]): Promise<void> {
  const personal = events.flatMap((event) => event.personal.flatMap(({ row }) => row ?? []));
  const insertPersonal =
    personal.length === 0
      ? sql``
      : sql`
    with personal as (
      insert into holdfast.audit_personal (ref, organization_id, kind, tag, salt, sealed, created_at)
      select * from unnest(
        ${personal.map(({ ref }) => ref)}::text[], ${personal.map(({ organizationId }) => organizationId)}::uuid[],
        ${personal.map(({ kind }) => kind)}::text[], ${personal.map(({ tag }) => tag)}::bytea[], ${personal.map(({ salt }) => salt)}::bytea[],
        ${personal.map(({ sealed }) => sealed)}::bytea[], ${personal.map(({ createdAtMs }) => new Date(createdAtMs).toISOString())}::timestamptz[]))`;
  // The sequencer keeps the order of the inbox.
  await sql`${insertPersonal}
    insert into holdfast.audit_inbox (id, organization_id, body)
    select id, organization_id, body
    from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ organizationId }) => organizationId)}::uuid[],
      ${events.map(({ body }) => body)}::text[]) with ordinality as event (id, organization_id, body, place)
    order by place`.execute(transaction);
}

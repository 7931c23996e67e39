import { sql, type Kysely } from 'kysely';
import { auditEventText, type AuditEvent } from '@holdfast/kit/audit';
import type { Schema } from '../../platform/postgres/index.ts';

/**
 * Hands events to the log, in the caller's transaction: they exist exactly when its effect does. A plain insert that waits for nobody; the
 * sequencer gives them their places within a second of the commit, in the order in which they were handed over. An event that is handed
 * over again, under its id, is logged once.
 *
 * The roles `app` (for its organization only), `writer`, `jobs` and `operator` may. Throws a `TypeError` for what is no event.
 */
export async function appendEvents(transaction: Kysely<Schema>, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  const bodies = events.map(auditEventText);
  await sql`insert into holdfast.audit_inbox (id, organization_id, body)
    select id, organization_id, body
    from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map((event) => event.organization_id)}::uuid[], ${bodies}::text[])
      with ordinality as event (id, organization_id, body, place)
    order by place`.execute(transaction);
}

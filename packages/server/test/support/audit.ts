import { systemClock, systemRandom } from '@holdfast/kit/time';
import { createAuditTrail, type AuditTrail, type NewAuditEvent } from '../../src/platform/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createReferences } from './personal-references.ts';
import type { TestDatabase } from './postgres.ts';

/** The trail as commands have it: each event in the inbox of this database. */
export function createTestTrail(database: Pick<Database, 'asOperator'>): AuditTrail {
  return createAuditTrail({
    ...{ database, references: createReferences(), clock: systemClock, random: systemRandom },
    committer: () => undefined,
  });
}

/** A trail in memory, for parts without a database. */
export function createMemoryTrail(): AuditTrail & { readonly told: NewAuditEvent[] } {
  const told: NewAuditEvent[] = [];
  return {
    told,
    write: async (_transaction, ...events) => void told.push(...events),
    record: async (event) => (told.push(event), true),
  };
}

export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly outcome: string;
  readonly organization_id: string | null;
  readonly actor: { readonly type: string; readonly id?: string };
  readonly resource: { readonly type: string; readonly id?: string } | null;
  readonly request_id?: string;
  readonly client?: { readonly ip?: string; readonly user_agent?: string };
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Events in the order in which they came, whether or not the sequencer has been there. */
export async function storedEvents(postgres: TestDatabase): Promise<StoredEvent[]> {
  const rows = await postgres.asSuperuser<{ body: string }>(
    `select body from (
       select leaf as body, 0 as waits, index as place from holdfast.audit_log
       union all select body, 1, seq from holdfast.audit_inbox) as event
     order by waits, place`,
  );
  return rows.map(({ body }) => JSON.parse(body) as StoredEvent);
}

import { defineChannel } from '@holdfast/kit/events';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { Transaction } from 'kysely';
import type { Database, Schema } from '../postgres/index.ts';
import { writeEvent, type NewAuditEvent, type ReferenceMaker, type WrittenEvent } from './audit-event.ts';
import { insertEvents } from './insert-events.ts';
import type { PersonalReferences } from './personal-references.ts';

/** Where whoever does something worth an event tells it. */
export interface AuditTrail {
  /** In the transaction of what it tells: one exists exactly when the other does. */
  write(transaction: Transaction<Schema>, ...events: readonly NewAuditEvent[]): Promise<void>;
  /**
   * Of what has no transaction. Resolves with true when the event is durable, and with false when that could not be learnt in time: it
   * is then tried on for as long as the process lives, and announced. Never rejects: what was done was done.
   */
  record(event: NewAuditEvent): Promise<boolean>;
}

/** What commits many events together, one group after the other. */
export interface EventCommitter {
  /** False while it cannot commit: nobody waits for it then. */
  readonly available: boolean;
  /** Resolves when it is durable. One that fails for want of the database MUST be tried on. */
  record(event: WrittenEvent): Promise<void>;
}

/** An event was not durable when whoever told it could wait no longer. */
export interface AuditEventDelayed {
  readonly type: string;
  readonly error: unknown;
}

export const auditEventDelayed = defineChannel<AuditEventDelayed>('holdfast:audit:event-delayed');

export interface AuditTrailOptions {
  readonly database: Pick<Database, 'asOperator'>;
  readonly references: PersonalReferences;
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined while there is none, as in a command at the terminal: each event is then a transaction of its own. */
  readonly committer: () => EventCommitter | undefined;
}

export function createAuditTrail({ database, references, clock, random, committer }: AuditTrailOptions): AuditTrail {
  const createId = createUuidV7(clock, random);
  const fresh: ReferenceMaker = (...value) => references.fresh(...value);
  const daily: ReferenceMaker = (...value) => references.daily(...value);
  const written = (event: NewAuditEvent, refer: ReferenceMaker): WrittenEvent =>
    writeEvent(event, { id: event.id ?? createId(), atMs: event.atMs ?? clock.now(), refer });

  async function commit(event: NewAuditEvent): Promise<boolean> {
    const together = committer();
    if (together === undefined) {
      await database.asOperator((transaction) => insertEvents(transaction, [written(event, fresh)]));
      return true;
    }
    const done = together.record(written(event, daily));
    if (together.available) return done.then(() => true);
    done.catch(() => {});
    auditEventDelayed.publish({ type: event.type, error: undefined });
    return false;
  }

  return {
    write: (transaction, ...events) =>
      insertEvents(
        transaction,
        events.map((event) => written(event, fresh)),
      ),
    async record(event) {
      try {
        return await commit(event);
      } catch (error) {
        auditEventDelayed.publish({ type: event.type, error });
        return false;
      }
    },
  };
}

import { hash } from 'node:crypto';
import { auditEventText, hashLeaf, numberAuditEvent, readAuditEvent, type AuditEvent, type TiledTree } from '@holdfast/kit/audit';
import { instanceSeries } from '../log-head.ts';
import type { RejectionReason } from '../rejection-reason.ts';
import type { PlacedBatch, PlacedLeaf, WaitingEvent } from './session.ts';

/** What was placed and is not stored yet: what the store says of series and ids is older. */
export class PlacedMemory {
  /** By series. */
  readonly lastNumbers = new Map<string, number>();
  /** By id. */
  readonly events = new Map<string, { readonly number: number; readonly leaf: string }>();
}

export interface PlaceOptions {
  readonly createId: () => string;
  /** RFC 3339 with three decimals: the time of events about the log itself. */
  readonly now: () => string;
  /** Lets others have the thread for a moment. */
  readonly breathe: () => Promise<void>;
  /** Of events that the store refused as they are: they are rejected without being looked at. */
  readonly refused: ReadonlySet<number>;
}

/** An event takes some 10 µs; a call that waits for this thread must not feel a whole batch. */
const eventsPerBreath = 64;

/**
 * Gives events their places: each the next number of its series and the next leaf of the tree, which grows. One that has a place already is
 * dropped; what is no event is rejected, and an event that says so takes its place, since nothing leaves the inbox unrecorded.
 */
export async function placeEvents(
  waiting: readonly WaitingEvent[],
  tree: TiledTree,
  options: PlaceOptions,
  memory = new PlacedMemory(),
): Promise<PlacedBatch> {
  const leaves: PlacedLeaf[] = [];
  const rejected: { seq: number; reason: RejectionReason }[] = [];
  const lastNumbers = new Map<string, number>();

  function place({ event, text }: ReadEvent, lastStored: number): void {
    const series = event.organization_id ?? instanceSeries;
    const number = (memory.lastNumbers.get(series) ?? lastStored) + 1;
    const leaf = numberAuditEvent(text, number);
    lastNumbers.set(series, number);
    memory.lastNumbers.set(series, number);
    leaves.push({
      index: tree.size,
      id: event.id,
      organizationId: event.organization_id,
      number,
      atMs: Date.parse(event.at),
      type: event.type,
      outcome: event.outcome,
      actorType: event.actor.type,
      actorId: event.actor.id,
      userId: event.actor.user_id,
      resourceType: event.resource?.type,
      resourceId: event.resource?.id,
      requestId: event.request_id,
      leaf,
    });
    memory.events.set(event.id, { number, leaf });
    tree.append(hashLeaf(Buffer.from(leaf)));
  }

  for (const [at, row] of waiting.entries()) {
    if (at > 0 && at % eventsPerBreath === 0) await options.breathe();
    const read = options.refused.has(row.seq) ? 'refused_by_store' : eventOf(row);
    if (typeof read !== 'string') {
      const before = row.logged ?? memory.events.get(read.event.id);
      if (before === undefined) {
        place(read, row.lastNumber);
        continue;
      }
      // A commit that was repeated because its answer was lost. The same id for something else would be an event that vanishes.
      if (numberAuditEvent(read.text, before.number) === before.leaf) continue;
    }
    const reason = typeof read === 'string' ? read : 'id_taken';
    rejected.push({ seq: row.seq, reason });
    const event = rejection(row, reason, options);
    place({ event, text: auditEventText(event) }, row.lastNumber);
  }
  return { seqs: waiting.map(({ seq }) => seq), leaves, rejected, lastNumbers };
}

type ReadEvent = ReturnType<typeof readAuditEvent>;

/** The event, or why it is none. */
function eventOf({ id, organizationId, body }: WaitingEvent): ReadEvent | RejectionReason {
  if (body === undefined) return 'too_long';
  let read: ReadEvent;
  try {
    // Whoever wrote it may be another version, or nobody of ours: also its form is not taken on trust.
    read = readAuditEvent(body);
  } catch {
    return 'no_event';
  }
  // By these columns it was let in; it must not speak for another organization.
  const { event } = read;
  return event.id === id && event.organization_id === organizationId ? read : 'columns_differ';
}

function rejection({ seq, id, organizationId, body }: WaitingEvent, reason: RejectionReason, { createId, now }: PlaceOptions): AuditEvent {
  return {
    v: 1,
    id: createId(),
    at: now(),
    type: 'audit.event_rejected',
    outcome: 'failure',
    organization_id: organizationId,
    actor: { type: 'system', id: 'audit' },
    resource: { type: 'audit_event', id },
    details: { reason, seq, ...(body !== undefined && { sha256: hash('sha256', body, 'hex') }) },
  };
}

import { defineChannel } from '@holdfast/kit/events';
import type { RejectionReason } from './rejection-reason.ts';

export interface AuditSequencerElected {
  readonly epoch: number;
  readonly size: number;
  /** Whether the one before it held on to the lock and did nothing. */
  readonly deposed: boolean;
}

/** This instance gives events their places from now on. */
export const auditSequencerElected = defineChannel<AuditSequencerElected>('holdfast:audit:sequencer-elected');

export interface AuditSequencerEnded {
  /** Why: another was elected, the server stops, or what failed. */
  readonly reason: 'superseded' | 'stopped' | 'failed';
  readonly error: unknown;
}

export const auditSequencerEnded = defineChannel<AuditSequencerEnded>('holdfast:audit:sequencer-ended');

export interface AuditEventsSequenced {
  readonly events: number;
  /** Size of the log with them. */
  readonly size: number;
  readonly durationMs: number;
}

export const auditEventsSequenced = defineChannel<AuditEventsSequenced>('holdfast:audit:events-sequenced');

export interface AuditEventsRejected {
  readonly reasons: readonly RejectionReason[];
}

/** Something in the inbox was no event. It is kept in `holdfast.audit_rejected`, and the log says so. */
export const auditEventsRejected = defineChannel<AuditEventsRejected>('holdfast:audit:events-rejected');

export interface AuditBatchRefused {
  readonly events: number;
  readonly error: unknown;
}

/** The database does not take a batch and would not the next time; the event at fault is looked for. */
export const auditBatchRefused = defineChannel<AuditBatchRefused>('holdfast:audit:batch-refused');

import type { Tile } from '@holdfast/kit/audit';
import type { LogHead } from '../log-head.ts';
import type { RejectionReason } from '../rejection-reason.ts';

/** An event in the inbox. */
export interface WaitingEvent {
  readonly seq: number;
  readonly id: string;
  readonly organizationId: string | null;
  /** Undefined when it is longer than an event can be: it is not read then. */
  readonly body: string | undefined;
  /** The last number of its series; 0 before the first. */
  readonly lastNumber: number;
  /** What has this id in the log already. */
  readonly logged: { readonly number: number; readonly leaf: string } | undefined;
}

/** An event with its place. All but the leaf is for queries. */
export interface PlacedLeaf {
  readonly index: number;
  readonly id: string;
  readonly organizationId: string | null;
  readonly number: number;
  readonly atMs: number;
  readonly type: string;
  readonly outcome: string;
  readonly actorType: string;
  readonly actorId: string | undefined;
  readonly userId: string | undefined;
  readonly resourceType: string | undefined;
  readonly resourceId: string | undefined;
  readonly requestId: string | undefined;
  readonly leaf: string;
}

/** What leaves the inbox, and what becomes of it. */
export interface PlacedBatch {
  readonly seqs: readonly number[];
  readonly leaves: readonly PlacedLeaf[];
  readonly rejected: readonly { readonly seq: number; readonly reason: RejectionReason }[];
  /** By series. */
  readonly lastNumbers: ReadonlyMap<string, number>;
}

/** A batch and the log as it is with it. */
export interface LogGrowth extends PlacedBatch {
  readonly epoch: number;
  readonly oldSize: number;
  readonly size: number;
  readonly root: Buffer;
  readonly tail: Buffer;
  readonly tiles: readonly Tile[];
  /** The signed checkpoint of `size`; undefined when nothing was added. */
  readonly note: string | undefined;
}

export interface LogSurvey {
  /** Whether this session has the lock. */
  readonly elected: boolean;
  readonly epoch: number;
  readonly size: number;
  /** Of the event that waits longest. */
  readonly oldestSeq: number | undefined;
  readonly oldestWaitedMs: number;
  /** How many wait; no more than `countedWaiting` are counted. */
  readonly waiting: number;
}

/** Counting more than this would only tell that it is very many. */
export const countedWaiting = 100_000;

/** What of the upkeep there was to do. */
export interface Maintained {
  /** False when another was elected. */
  readonly elected: boolean;
  /** Whether there is more to do, which is done in pieces so that new events need not wait for it. */
  readonly more: boolean;
}

/**
 * One connection to the store of the log. Every answer may be lost: an error says nothing about whether it happened. Errors that are no
 * `HoldfastError` mean that the store refuses what it was given, and will again.
 */
export interface SequencerSession {
  /** Tries to get the lock, when this session has it not, and looks around. */
  survey(): Promise<LogSurvey>;
  /** Begins an election's time: no other session can write from here on. Throws `audit_log_damaged` when the log must not be continued. */
  claim(): Promise<LogHead>;
  /** The events that wait longest, in order; without those named. */
  readWaiting(limit: number, without: readonly number[]): Promise<WaitingEvent[]>;
  /** All of it or nothing. False when another was elected, or the log has another size than `oldSize`: nothing was written then. */
  commit(growth: LogGrowth): Promise<boolean>;
  /** A piece of what has to be done now and then with events and checkpoints that became old. */
  maintain(epoch: number): Promise<Maintained>;
  /** Gives the lock back and ends the connection; never throws. */
  close(): Promise<void>;
}

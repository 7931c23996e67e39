import { defineChannel } from '@holdfast/kit/events';
import type { DatabaseRole } from './roles.ts';
import type { DatabaseOperation } from './statement-kind.ts';

/** One statement, on the database's side of the wire: the wait for a connection is not in it. */
export interface DatabaseQueryCompleted {
  readonly role: DatabaseRole;
  readonly operation: DatabaseOperation;
  /** The table that is written, or the first that is read, without its schema; undefined where there is none. Bounded, as our statements are. */
  readonly table: string | undefined;
  /** The statement with `$1` in place of values: parameters may hold personal data and are never announced. */
  readonly statement: string;
  readonly durationMs: number;
  readonly outcome: 'completed' | 'failed';
  /** Of a failure: a code of the error table (`database_unavailable`, `disk_full`), otherwise PostgreSQL's SQLSTATE, or `unknown`. */
  readonly errorCode: string | undefined;
}

export interface QuerySlow {
  readonly role: DatabaseRole;
  readonly durationMs: number;
  /** The statement with `$1` in place of values: parameters may hold personal data and are never announced. */
  readonly statement: string;
}

export interface PoolExhausted {
  readonly role: DatabaseRole;
  readonly maxConnections: number;
  readonly waiting: number;
}

export interface ConnectionLost {
  /** undefined for the connection that listens. */
  readonly role: DatabaseRole | undefined;
  readonly error: unknown;
}

export interface ListenerStateChanged {
  readonly connected: boolean;
  /** The connection was lost, and not only one more channel subscribed, which takes a moment too. */
  readonly lost: boolean;
}

/** Every statement that went through kysely, transactions included, and the ledger's commits. */
export const databaseQueryCompleted = defineChannel<DatabaseQueryCompleted>('holdfast:postgres:query-completed');
/** A statement took `slowQueryMs` or longer. */
export const querySlow = defineChannel<QuerySlow>('holdfast:postgres:query-slow');
/** A caller was refused because every connection of a pool was busy for too long, or too many were waiting. */
export const poolExhausted = defineChannel<PoolExhausted>('holdfast:postgres:pool-exhausted');
/** A connection broke while nobody used it; the next query makes another. */
export const connectionLost = defineChannel<ConnectionLost>('holdfast:postgres:connection-lost');
export const listenerStateChanged = defineChannel<ListenerStateChanged>('holdfast:postgres:listener-changed');

import pg from 'pg';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';

/** SQLSTATEs that say "not now": the same statement may succeed later, on another connection. */
const unavailableStates = new Set([
  '25006', // read-only transaction: a standby, or a primary that was just demoted
  '25P03', // idle-in-transaction timeout
  '25P04', // transaction timeout (17 and later)
  '40001', // serialization failure
  '40P01', // deadlock
  '53000', // insufficient resources
  '53200', // out of memory
  '53300', // too many connections
  '55P03', // lock not available: lock_timeout
  '57014', // query cancelled: statement_timeout
  '57P01', // administrator shutdown
  '57P02', // crash shutdown
  '57P03', // cannot connect now: starting up or shutting down
  '57P04', // database dropped
  '57P05', // idle session timeout
]);
/** 08xxx: connection exceptions. 28xxx: the login is refused, which is the server's trouble and never the caller's. */
const unavailableClasses = new Set(['08', '28']);
const diskFull = '53100';
const missingDatabase = '3D000';

/** Errors of the socket, name resolution and TLS, by the `code` that Node gives them. */
const socketCodes =
  /^(E(CONN|PIPE|HOST|NET|TIMEDOUT|NOENT|NOTFOUND|ACCES|AI_)|ERR_(TLS|SSL|SOCKET|STREAM)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;
/** pg's own errors have no code; these are all that mean a lost or unavailable connection. */
const pgMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|The server does not support SSL|Postgres connection has been discarded|read ECONNRESET|write EPIPE)/;

/**
 * What the rest of the server understands of a failed query: `database_unavailable` when it may succeed later, `disk_full`.
 * Everything else, such as a violated constraint, is returned as it came: it is the caller's to understand, or a bug.
 * kysely queries throw the mapped error already; callers of a raw `pool()` map by themselves.
 */
export function mapDatabaseError(thrown: unknown): unknown {
  if (isHoldfastError(thrown) || !(thrown instanceof Error)) return thrown;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  if (thrown instanceof pg.DatabaseError && code) {
    forgetValues(thrown, code);
    if (code === diskFull) return new HoldfastError('disk_full', { detail: describe(thrown, code), cause: thrown });
    if (unavailableStates.has(code) || unavailableClasses.has(code.slice(0, 2)) || code === missingDatabase) {
      return unavailable(describe(thrown, code), thrown);
    }
    return thrown;
  }
  if ((code && socketCodes.test(code)) || pgMessages.test(thrown.message)) return unavailable(thrown.message, thrown);
  // Several addresses of one name, all refused: Node reports them together.
  if (thrown instanceof AggregateError && thrown.errors.some((error) => isHoldfastError(mapDatabaseError(error)))) {
    return unavailable(thrown.errors.map(String).join('; '), thrown);
  }
  return thrown;
}

/**
 * An error ends in the log, and PostgreSQL quotes in it what it was given: whole rows (`Failing row contains (…)`), keys, the text that is no
 * date. What went wrong, where and under which SQLSTATE stays; the values are in the statement's hands, and in PostgreSQL's own log.
 */
function forgetValues(error: pg.DatabaseError, sqlState: string): void {
  // PostgreSQL's own hints are sentences of its source.
  Object.assign(error, { detail: undefined, where: undefined, internalQuery: undefined }, sqlState.startsWith('P0') && { hint: undefined });
  const message = messageWithoutValues(error.message, sqlState);
  if (message === error.message) return;
  // The stack begins with the message.
  error.stack = String(error.stack).replace(error.message, () => message);
  error.message = message;
}

function messageWithoutValues(message: string, sqlState: string): string {
  if (sqlState.startsWith('P0')) return 'an exception that a function or trigger of the database raised';
  // Data exceptions: `invalid input syntax for type uuid: "…"`.
  const colon = sqlState.startsWith('22') ? message.indexOf(': ') : -1;
  return colon < 0 ? message : `${message.slice(0, colon)}: [value]`;
}

export function unavailable(detail: string, cause?: unknown): HoldfastError {
  return new HoldfastError('database_unavailable', { detail, cause });
}

function describe(error: Error, sqlState: string): string {
  return `${error.message} (SQLSTATE ${sqlState})`;
}

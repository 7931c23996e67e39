import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { HoldfastError } from '@holdfast/kit/errors';
import { roleName, type DatabaseRole } from './roles.ts';
import { typeParsers } from './value-types.ts';

/** Where the database is: the embedded one behind its private socket, or any other by its URL. */
export type DatabaseTarget =
  | { readonly kind: 'socket'; readonly socketDir: string; readonly port: number }
  | { readonly kind: 'url'; readonly url: string };

/** Login and database of the embedded cluster. */
export const embeddedLogin = 'holdfast';
export const embeddedDatabase = 'holdfast';

export interface ConnectionTimeouts {
  /** Until a connection is made, or a busy pool gives one out. */
  readonly connectTimeoutMs: number;
  /** After which the server cancels a statement; 0 never. */
  readonly statementTimeoutMs: number;
  /** After which the server gives up waiting for a lock; 0 never. */
  readonly lockTimeoutMs: number;
}

export const defaultTimeouts: ConnectionTimeouts = Object.freeze({
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 30_000,
  lockTimeoutMs: 10_000,
});

/** A transaction left open by a bug must not hold locks and vacuum back for good. */
const idleInTransactionTimeoutMs = 60_000;
/** How much later than the server the client gives up on a statement: it is for connections that went silent. */
const silentConnectionGraceMs = 5_000;

/**
 * What `pg` needs to connect. With a role the connection starts as that role: as a startup parameter it costs no round trip, and
 * `RESET ROLE` and `DISCARD ALL` lead back to the role, not to the login. Without one it stays the login (migrations only).
 */
export function connectionConfig(
  target: DatabaseTarget,
  options: { readonly role?: DatabaseRole; readonly timeouts?: ConnectionTimeouts } = {},
): pg.ClientConfig {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const own = [
    // Names are qualified everywhere. better-auth's are not, so its role finds its tables by path. pg_temp comes last, or a
    // temporary table could shadow a real one.
    `-c search_path=${options.role === 'identity' ? 'identity,' : ''}pg_catalog,pg_temp`,
    ...(options.role ? [`-c role=${roleName(options.role)}`] : []),
  ].join(' ');
  const { options: given, ...base } = baseConfig(target);
  return {
    application_name: options.role ? `holdfast ${options.role}` : 'holdfast',
    connectionTimeoutMillis: timeouts.connectTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...base,
    statement_timeout: timeouts.statementTimeoutMs,
    lock_timeout: timeouts.lockTimeoutMs,
    ...(timeouts.statementTimeoutMs > 0 ? { query_timeout: timeouts.statementTimeoutMs + silentConnectionGraceMs } : {}),
    // Ours come last: PostgreSQL takes the last of two values.
    options: given ? `${given} ${own}` : own,
    types: typeParsers,
  };
}

function baseConfig(target: DatabaseTarget): pg.ClientConfig {
  if (target.kind === 'socket') {
    return {
      host: target.socketDir,
      port: target.port,
      user: embeddedLogin,
      database: embeddedDatabase,
      // Said explicitly, because pg otherwise reads PGSSLMODE and PGPASSWORD, which are meant for another server.
      ssl: false,
      password: () => '',
    };
  }
  try {
    return parseIntoClientConfig(target.url);
  } catch {
    // No cause: the parser's error carries the URL, and the URL the password.
    throw new HoldfastError('configuration_invalid', {
      detail: 'DATABASE_URL is not a PostgreSQL URL',
      details: ['DATABASE_URL is not a PostgreSQL URL such as postgres://login:password@host:5432/database'],
    });
  }
}

import { Kysely, PostgresDialect, sql, type PostgresPool, type Transaction } from 'kysely';
import type pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { mapDatabaseError } from './errors.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { poolShares } from './pool-shares.ts';
import { createQueryPool } from './query-pool.ts';
import { createRolePool, type RolePool } from './role-pool.ts';
import type { DatabaseRole } from './roles.ts';
import type { Schema } from './schema.ts';
import { assertServerFits } from './server-check.ts';
import { defaultTimeouts, type ConnectionTimeouts, type DatabaseTarget } from './target.ts';

export interface OpenDatabaseOptions {
  readonly target: DatabaseTarget;
  /** Ceiling over all pools and the listening connection together; at least `minConnections`. `POSTGRES_MAX_CONNECTIONS`, 100 by default. */
  readonly maxConnections: number;
  readonly clock: Clock;
  /** Each on its own; by default 5 s to connect, 30 s a statement, 10 s for a lock. */
  readonly timeouts?: Partial<ConnectionTimeouts>;
  /** From which time on a statement is announced as slow; 500 by default. */
  readonly slowQueryMs?: number;
}

export interface PoolState {
  readonly role: DatabaseRole;
  readonly maxConnections: number;
  /** Connections that are open, idle ones included. */
  readonly open: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

/**
 * The database by role. Everything made with kysely throws `database_unavailable` or `disk_full` when the database cannot answer, and
 * pg's own error otherwise, such as a violated constraint; a raw `pool()` throws pg's errors, for `mapDatabaseError`.
 */
export interface Database {
  /** Connections that run as the role, never as a superuser. Made with the first use. */
  pool(role: DatabaseRole): pg.Pool;
  /** kysely over the role's pool. Do not `destroy` it: `close` ends the pools. */
  query(role: DatabaseRole): Kysely<Schema>;
  /**
   * One transaction as `app` that sees and touches the rows of one organization (a UUID) only; committed when `work` resolves,
   * rolled back when it throws. The only way to tenant tables for `app`: without it they are empty.
   */
  withOrganization<T>(organizationId: string, work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** One transaction as `operator`, over all organizations: administration of the instance, never a request's. */
  asOperator<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  readonly notifications: Notifications;
  /** Whether the database answers, asked as `app`; throws `database_unavailable` otherwise. Aborted, it gives its connection up: one that hangs must not take the pool. */
  ping(signal?: AbortSignal): Promise<void>;
  /** The pools in use so far, for metrics. */
  poolStates(): readonly PoolState[];
  /** Waits up to 5 s for what is under way, then cuts it off. May be called again. */
  close(): Promise<void>;
}

const closeGraceMs = 5_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Connects once, to check the server and the login, and is ready. Errors: `database_unavailable`, `database_version`,
 * `database_login_unsafe`, `configuration_invalid`. The schema is `migrateDatabase`'s, which comes before.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { target, clock } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const shares = poolShares(options.maxConnections);
  await assertServerFits(target, timeouts);

  const pools = new Map<DatabaseRole, RolePool & { readonly queryPool: PostgresPool; readonly kysely: Kysely<Schema> }>();
  const notifications = createNotifications(target, clock, timeouts);
  let closing: Promise<void> | undefined;

  function entry(role: DatabaseRole) {
    let found = pools.get(role);
    if (found) return found;
    if (closing) throw new HoldfastError('database_unavailable', { detail: 'the database was used after it was closed' });
    const maxConnections = shares[role];
    const rolePool = createRolePool({ target, role, maxConnections, timeouts, clock });
    const queryPool = createQueryPool({ role, pool: rolePool.pool, maxConnections, slowQueryMs: options.slowQueryMs, clock });
    found = { ...rolePool, queryPool, kysely: new Kysely<Schema>({ dialect: new PostgresDialect({ pool: queryPool }) }) };
    pools.set(role, found);
    return found;
  }
  const query = (role: DatabaseRole) => entry(role).kysely;

  return {
    pool: (role) => entry(role).pool,
    query,
    notifications,
    async withOrganization(organizationId, work) {
      if (!uuid.test(organizationId)) throw new HoldfastError('internal_error', { detail: 'an organization id is not a UUID' });
      return transact(query('app'), async (transaction) => {
        // `true`: for this transaction only, so that the next user of the connection starts without an organization.
        await sql`select set_config('holdfast.organization_id', ${organizationId}, true)`.execute(transaction);
        return work(transaction);
      });
    },
    asOperator: async (work) => transact(query('operator'), work),
    async ping(signal) {
      signal?.throwIfAborted();
      const client = await entry('app').queryPool.connect();
      let held = true;
      const giveBack = (broken: boolean): void => {
        if (held) client.release(broken);
        held = false;
      };
      // The end of the connection is the end of the statement.
      const onAbort = (): void => giveBack(true);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        signal?.throwIfAborted();
        await client.query('select 1', []);
      } finally {
        signal?.removeEventListener('abort', onAbort);
        giveBack(signal?.aborted ?? false);
      }
    },
    poolStates: () =>
      Array.from(pools, ([role, { pool }]) => ({
        role,
        maxConnections: shares[role],
        open: pool.totalCount,
        idle: pool.idleCount,
        waiting: pool.waitingCount,
      })),
    close: () =>
      (closing ??= Promise.all([notifications.close(), ...Array.from(pools.values(), (pool) => pool.end(closeGraceMs))]).then(() => {})),
  };
}

async function transact<T>(kysely: Kysely<Schema>, work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
  try {
    return await kysely.transaction().execute(work);
  } catch (error) {
    throw mapDatabaseError(error);
  }
}

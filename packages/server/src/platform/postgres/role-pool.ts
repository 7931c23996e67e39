import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import { sleep, type Clock } from '@holdfast/kit/time';
import { connectionLost } from './announcements.ts';
import { roleName, type DatabaseRole } from './roles.ts';
import { connectionConfig, type ConnectionTimeouts, type DatabaseTarget } from './target.ts';

export interface RolePoolOptions {
  readonly target: DatabaseTarget;
  readonly role: DatabaseRole;
  readonly maxConnections: number;
  readonly timeouts: ConnectionTimeouts;
  readonly clock: Clock;
}

/** Connections beyond the one kept are closed after this time without work. */
const idleTimeoutMs = 30_000;

export interface RolePool {
  readonly pool: pg.Pool;
  /** Ends within `graceMs`, also when a caller never gives a connection back: what still runs then is cut off. */
  end(graceMs: number): Promise<void>;
}

export function createRolePool(options: RolePoolOptions): RolePool {
  const { role, clock } = options;
  const pool = new pg.Pool({
    ...connectionConfig(options.target, { role, timeouts: options.timeouts }),
    max: options.maxConnections,
    // The path of a request must not pay for a new connection after a quiet minute.
    min: 1,
    idleTimeoutMillis: idleTimeoutMs,
    // What a backend caches about tables grows without bound; a fresh one an hour gives it back.
    maxLifetimeSeconds: 3_600,
    verify: (client, done) => void verifyRole(client, role).then(() => done(), done),
  });
  const open = new Set<pg.PoolClient>();
  // Without these listeners the loss of a connection would end the process: the pool listens to those that are idle only,
  // and passes their loss on as its own error.
  pool.on('error', (error) => connectionLost.publish({ role, error }));
  pool.on('connect', (client) => {
    open.add(client);
    client.on('error', () => {});
  });
  pool.on('remove', (client) => open.delete(client));

  return {
    pool,
    async end(graceMs) {
      const given = new AbortController();
      const ended = pool.end().finally(() => given.abort());
      const inTime = await Promise.race([
        ended.then(() => true),
        sleep(clock, graceMs, given.signal).then(
          () => false,
          () => true,
        ),
      ]);
      if (!inTime) await Promise.all(Array.from(open, (client) => (client as unknown as pg.Client).end().catch(() => {})));
    },
  };
}

/**
 * A connection pooler in between may drop startup parameters; then the connection would be the login's, which owns the tables.
 * Costs one round trip a connection, not a query.
 */
async function verifyRole(client: pg.PoolClient, role: DatabaseRole): Promise<void> {
  const result = await client.query<{ current: string }>('select current_user as current');
  const current = result.rows[0]?.current;
  if (current !== roleName(role)) {
    throw new HoldfastError('database_login_unsafe', {
      detail: `a connection asked for role ${roleName(role)} runs as ${current}: does a connection pooler drop the startup parameter "options"?`,
    });
  }
}

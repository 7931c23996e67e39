import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import type { Clock } from '@holdfast/kit/time';
import { poolExhausted } from './announcements.ts';
import { mapDatabaseError, unavailable } from './errors.ts';
import { observeQuery } from './observe-query.ts';
import type { DatabaseRole } from './roles.ts';

export interface QueryPoolOptions {
  readonly role: DatabaseRole;
  readonly pool: pg.Pool;
  readonly maxConnections: number;
  readonly slowQueryMs: number | undefined;
  readonly clock: Clock;
}

/** Callers that may wait for a connection, per connection of the pool. Beyond it waiting only delays the refusal. */
const waitingPerConnection = 50;

/**
 * A role's pool as kysely sees it: failures come out as `mapDatabaseError` makes them, statements are announced with their time, and
 * a connection that went silent is never used again.
 */
export function createQueryPool(options: QueryPoolOptions): PostgresPool {
  const { pool, role, maxConnections } = options;
  const maxWaiting = maxConnections * waitingPerConnection;

  const refuse = (why: string, cause?: unknown) => {
    const waiting = pool.waitingCount;
    poolExhausted.publish({ role, maxConnections, waiting });
    return unavailable(
      `all ${maxConnections} connections of the pool "${role}" are busy, ${waiting} callers wait: ${why}; POSTGRES_MAX_CONNECTIONS bounds all pools together`,
      cause,
    );
  };

  return {
    options: pool.options,
    async connect() {
      if (pool.waitingCount >= maxWaiting) throw refuse('too many are waiting');
      try {
        return observed(await pool.connect(), options);
      } catch (error) {
        if (error instanceof Error && error.message === 'timeout exceeded when trying to connect') throw refuse('waited too long', error);
        throw mapDatabaseError(error);
      }
    },
    // The pool belongs to the Database, which ends it.
    end: () => Promise.resolve(),
  };
}

function observed(client: pg.PoolClient, options: QueryPoolOptions): PostgresPoolClient {
  const { role, clock, slowQueryMs } = options;
  let broken = false;

  function query(statement: unknown, parameters?: unknown): Promise<unknown> {
    return observeQuery({ role, clock, slowQueryMs, statement: String(statement) }, async () => {
      try {
        return await client.query(statement as string, parameters as unknown[]);
      } catch (error) {
        // The answer may still come, to whoever asks next on this connection.
        if (error instanceof Error && error.message === 'Query read timeout') broken = true;
        throw error;
      }
    });
  }

  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy) => client.release(destroy || broken),
  };
}

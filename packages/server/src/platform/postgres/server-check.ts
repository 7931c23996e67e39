import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import { mapDatabaseError } from './errors.ts';
import { databaseRoles, roleName } from './roles.ts';
import { connectionConfig, type ConnectionTimeouts, type DatabaseTarget } from './target.ts';

export const minServerVersion = 15;

/** Connects as the login itself; the caller ends it. Errors as `mapDatabaseError`. */
export async function connectAsLogin(target: DatabaseTarget, timeouts: ConnectionTimeouts): Promise<pg.Client> {
  const client = new pg.Client(connectionConfig(target, { timeouts }));
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw mapDatabaseError(error);
  }
}

/** Throws `database_version` or `database_login_unsafe`. */
export async function checkServer(client: pg.Client): Promise<{ readonly majorVersion: number }> {
  const { rows } = await client.query<{ version: number; login: string; unsafe: string[] }>(
    `select current_setting('server_version_num')::int / 10000 as version,
            session_user as login,
            -- Itself, what it runs as, and whatever it may become, directly or through others: a login that can SET ROLE past row-level
            -- security has passed it. For a superuser pg_has_role is always true. Our own roles must be harmless too.
            array(select rolname::text from pg_catalog.pg_roles
                  where (rolsuper or rolbypassrls)
                    and (rolname in (session_user, current_user) or pg_has_role(session_user, oid, 'MEMBER') or rolname = any($1))
                  order by rolname) as unsafe`,
    [databaseRoles.map(roleName)],
  );
  const { version, login, unsafe } = rows[0]!;
  if (version < minServerVersion) {
    throw new HoldfastError('database_version', { detail: `the server is PostgreSQL ${version}` });
  }
  if (unsafe.length > 0) {
    throw new HoldfastError('database_login_unsafe', {
      detail: `login ${login}: superuser or BYPASSRLS through ${unsafe.join(', ')}`,
    });
  }
  return { majorVersion: version };
}

export async function assertServerFits(target: DatabaseTarget, timeouts: ConnectionTimeouts): Promise<void> {
  const client = await connectAsLogin(target, timeouts);
  try {
    await checkServer(client);
  } catch (error) {
    throw mapDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}

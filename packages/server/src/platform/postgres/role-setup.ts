import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import { databaseRoles, roleName } from './roles.ts';

/** Others may be changing the same roles at the same time; each round does what is still missing. */
const maxRounds = 5;
/** duplicate_object; unique_violation from within the catalog; "tuple concurrently updated". */
const changedByAnother = new Set(['42710', '23505', 'XX000']);

/**
 * Makes the roles that are missing and lets the login become each of them. Roles belong to the whole cluster and not to the
 * database: another Holdfast may have made them, or be making them right now. Repeating is safe.
 */
export async function ensureRoles(client: pg.Client, majorVersion: number): Promise<void> {
  for (let round = 1; ; round++) {
    const statements = await missingStatements(client, majorVersion);
    if (statements.length === 0) return;
    for (const statement of statements) {
      try {
        await client.query(statement);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) throw error;
        if (error.code === '42501') throw notAllowed(statement, statements, error);
        if (round === maxRounds || !changedByAnother.has(error.code ?? '')) throw error;
      }
    }
  }
}

async function missingStatements(client: pg.Client, majorVersion: number): Promise<string[]> {
  // Until 15 a member may always SET ROLE; since 16 that is a right of its own.
  const membership = majorVersion >= 16 ? 'SET' : 'MEMBER';
  const { rows } = await client.query<{ login: string; usable: Record<string, boolean> }>(
    `select quote_ident(session_user) as login,
            coalesce(jsonb_object_agg(rolname, pg_has_role(session_user, oid, $2)) filter (where oid is not null), '{}') as usable
     from pg_catalog.pg_roles where rolname = any($1)`,
    [databaseRoles.map(roleName), membership],
  );
  const { login, usable } = rows[0]!;
  return databaseRoles.map(roleName).flatMap((name) => [
    ...(name in usable ? [] : [`create role ${name} nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication`]),
    // Not inherited where that can be said: the login itself then has no rights on rows, it must become somebody.
    ...(usable[name] ? [] : [`grant ${name} to ${login}${majorVersion >= 16 ? ' with set true, inherit false' : ''}`]),
  ]);
}

function notAllowed(statement: string, all: readonly string[], cause: Error): HoldfastError {
  return new HoldfastError('migration_failed', {
    detail: `the login may not "${statement}": ${cause.message}`,
    details: {
      reason: 'The login may not make the roles of Holdfast. Give it CREATEROLE, or run these statements as an administrator.',
      statements: all,
    },
    cause,
  });
}

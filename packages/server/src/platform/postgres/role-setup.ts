import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import { databaseRoles, roleName } from './roles.ts';

/**
 * Makes the roles that are missing and lets the login become each of them. Roles belong to the whole cluster and not to the
 * database: another Holdfast may have made them, or be making them right now. Repeating is safe.
 */
export async function ensureRoles(client: pg.Client, majorVersion: number): Promise<void> {
  // Until 15 a member may always SET ROLE; since 16 that is a right of its own.
  const membership = majorVersion >= 16 ? 'SET' : 'MEMBER';
  const { rows } = await client.query<{ name: string; usable: boolean }>(
    `select rolname::text as name, pg_has_role(session_user, oid, $2) as usable from pg_catalog.pg_roles where rolname = any($1)`,
    [databaseRoles.map(roleName), membership],
  );
  const usable = new Map(rows.map((row) => [row.name, row.usable]));
  const statements: string[] = [];
  for (const name of databaseRoles.map(roleName)) {
    if (!usable.has(name)) {
      statements.push(`create role ${name} nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication`);
    }
    if (!usable.get(name)) {
      // Not inherited where that can be said: the login itself then has no rights on rows, it must become somebody.
      statements.push(`grant ${name} to session_user${majorVersion >= 16 ? ' with set true, inherit false' : ''}`);
    }
  }
  for (const statement of statements) await run(client, statement, statements);
}

async function run(client: pg.Client, statement: string, all: readonly string[]): Promise<void> {
  try {
    await client.query(statement);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    // Made by somebody else in this moment: duplicate_object, or unique_violation from within the catalog.
    if (error.code === '42710' || error.code === '23505') return;
    if (error.code !== '42501') throw error;
    throw new HoldfastError('migration_failed', {
      detail: `the login may not "${statement}": ${error.message}`,
      details: {
        reason: 'The login may not create the roles of Holdfast. Give it CREATEROLE, or run these statements as an administrator, with its name in place of session_user.',
        statements: all,
      },
      cause: error,
    });
  }
}

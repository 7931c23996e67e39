import { Kysely, PostgresDialect } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type pg from 'pg';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { mapDatabaseError } from './errors.ts';
import { migrations as ownMigrations } from './migrations/index.ts';
import { nonTransactionalMigrations as ownNonTransactional } from './migrations/non-transactional/index.ts';
import { withMigrationLock } from './migration-lock.ts';
import { runNonTransactional, type NonTransactionalMigration } from './non-transactional.ts';
import { ensureRoles } from './role-setup.ts';
import { checkServer, connectAsLogin } from './server-check.ts';
import { defaultTimeouts, type DatabaseTarget } from './target.ts';

export interface MigrateDatabaseOptions {
  readonly target: DatabaseTarget;
  readonly clock: Clock;
  /** In place of Holdfast's own; for tests of the machinery. */
  readonly migrations?: Readonly<Record<string, Migration>>;
  readonly nonTransactionalMigrations?: Readonly<Record<string, NonTransactionalMigration>>;
}

/** No limit for a statement, which may rewrite a table; one for locks, behind which every query of the table would queue up. */
const migrationTimeouts = Object.freeze({ ...defaultTimeouts, statementTimeoutMs: 0 });

/**
 * Brings roles and schema up to date; several instances may call it at once. Those pending are applied in one transaction, and then,
 * one by one, those that cannot run in one. Costs one connection and three queries when there is nothing to do.
 * Errors: `database_schema_newer`, `migration_failed` (nothing of the failed transaction or step was kept; what was applied before stays),
 * and those of `openDatabase`.
 */
export async function migrateDatabase(options: MigrateDatabaseOptions): Promise<{ applied: string[] }> {
  const transactional = options.migrations ?? ownMigrations;
  const nonTransactional = options.nonTransactionalMigrations ?? ownNonTransactional;
  const client = await connectAsLogin(options.target, migrationTimeouts);
  try {
    const { majorVersion } = await checkServer(client);
    await ensureRoles(client, majorVersion);
    if (!isPending(await readState(client), transactional, nonTransactional)) return { applied: [] };
    return await withMigrationLock(client, options.clock, async () => {
      // Another instance may have done it while this one waited.
      if (!isPending(await readState(client), transactional, nonTransactional)) return { applied: [] };
      await client.query(`
        create schema if not exists holdfast;
        create table if not exists holdfast.non_transactional_migrations (name text primary key, applied_at timestamptz(3) not null default now())`);
      const first = await runTransactional(client, transactional);
      await client.query('set lock_timeout = 0'); // CONCURRENTLY waits for every older transaction, as for a lock.
      const done = (await readState(client)).nonTransactional;
      return { applied: [...first, ...(await runNonTransactional(client, nonTransactional, done))] };
    });
  } catch (error) {
    const mapped = mapDatabaseError(error);
    if (isHoldfastError(mapped)) throw mapped;
    throw new HoldfastError('migration_failed', { detail: error instanceof Error ? error.message : String(error), cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}

interface MigrationState {
  readonly transactional: ReadonlySet<string>;
  readonly nonTransactional: ReadonlySet<string>;
}

async function readState(client: pg.Client): Promise<MigrationState> {
  const { rows } = await client.query<{ first: boolean; second: boolean }>(
    `select to_regclass('holdfast.migrations') is not null as first, to_regclass('holdfast.non_transactional_migrations') is not null as second`,
  );
  const { first, second } = rows[0]!;
  if (!first && !second) return { transactional: new Set(), nonTransactional: new Set() };
  const names = await client.query<{ name: string; transactional: boolean }>(
    [
      ...(first ? ['select name, true as transactional from holdfast.migrations'] : []),
      ...(second ? ['select name, false from holdfast.non_transactional_migrations'] : []),
    ].join(' union all '),
  );
  const named = (kind: boolean) => new Set(names.rows.filter((row) => row.transactional === kind).map((row) => row.name));
  return { transactional: named(true), nonTransactional: named(false) };
}

function isPending(state: MigrationState, transactional: object, nonTransactional: object): boolean {
  const unknown = [
    ...[...state.transactional].filter((name) => !Object.hasOwn(transactional, name)),
    ...[...state.nonTransactional].filter((name) => !Object.hasOwn(nonTransactional, name)),
  ];
  if (unknown.length > 0) {
    throw new HoldfastError('database_schema_newer', {
      detail: `unknown migrations: ${unknown.join(', ')}`,
      details: { migrations: unknown },
    });
  }
  const missing = (all: object, done: ReadonlySet<string>) => Object.keys(all).some((name) => !done.has(name));
  return missing(transactional, state.transactional) || missing(nonTransactional, state.nonTransactional);
}

async function runTransactional(client: pg.Client, all: Readonly<Record<string, Migration>>): Promise<string[]> {
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: singleConnection(client) }) });
  const migrator = new Migrator({
    db: kysely,
    provider: { getMigrations: () => Promise.resolve({ ...all }) },
    migrationTableSchema: 'holdfast',
    migrationTableName: 'migrations',
    migrationLockTableName: 'migration_locks',
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName;
    throw new Error(`${failed ?? 'the migrations'}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return (results ?? []).map((result) => result.migrationName);
}

/** The migrator must work on the connection that holds the lock, not on another of a pool. */
function singleConnection(client: pg.Client) {
  return {
    options: {},
    connect: () => Promise.resolve({ query: client.query.bind(client), release: () => {} }),
    end: () => Promise.resolve(),
  };
}

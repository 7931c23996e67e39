import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '@holdfast/kit/time';
import { migrations } from '../../src/platform/postgres/migrations/index.ts';
import { nonTransactionalMigrations } from '../../src/platform/postgres/migrations/non-transactional/index.ts';
import { migrateDatabase, type MigrateDatabaseOptions } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const empty = () => postgres.createDatabase({ migrated: false });
const migrate = (database: TestDatabase, options: Partial<MigrateDatabaseOptions> = {}) =>
  migrateDatabase({ target: database.target, clock: systemClock, ...options });
const tablesOf = async (database: TestDatabase) =>
  (
    await database.asSuperuser<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relnamespace = any(array(select oid from pg_namespace where nspname in ('holdfast', 'identity'))) order by 1`,
    )
  ).map((row) => row.name);

const table = (name: string) => ({
  up: async (database: Parameters<(typeof migrations)[string]['up']>[0]) =>
    void (await sql`create table holdfast.${sql.ref(name)} (id int)`.execute(database)),
});
const failing = {
  up: async (database: Parameters<(typeof migrations)[string]['up']>[0]) => void (await sql`select 1 / 0`.execute(database)),
};

test('an empty database gets every migration, and a second run none', async () => {
  const database = await empty();
  expect(await migrate(database)).toEqual({ applied: [...Object.keys(migrations), ...Object.keys(nonTransactionalMigrations)] });
  expect(await migrate(database)).toEqual({ applied: [] });
});

test('names of migrations are in the order in which they are listed, so that sorting changes nothing', () => {
  expect(Object.keys(migrations)).toEqual(Object.keys(migrations).sort());
  expect(Object.keys(nonTransactionalMigrations)).toEqual(Object.keys(nonTransactionalMigrations).sort());
});

test('several instances that start together migrate once', async () => {
  const database = await empty();
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate(database)));
  expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
});

test('several databases of one cluster may be migrated together, though roles are shared', async () => {
  const databases = await Promise.all([empty(), empty(), empty()]);
  const results = await Promise.all(databases.map((database) => migrate(database)));
  for (const { applied } of results) expect(applied).toHaveLength(Object.keys(migrations).length);
});

test('a database that a newer version migrated is refused, with the migrations that are not known', async () => {
  const database = await postgres.createDatabase();
  await database.asSuperuser(`insert into holdfast.migrations values ('9999-from-the-future', '2030-01-01T00:00:00.000Z')`);
  await expect(migrate(database)).rejects.toMatchObject({
    code: 'database_schema_newer',
    details: { migrations: ['9999-from-the-future'] },
  });
});

test('so is one with a newer migration of the other kind', async () => {
  const database = await postgres.createDatabase();
  await database.asSuperuser(`insert into holdfast.non_transactional_migrations values ('9999-from-the-future')`);
  await expect(migrate(database)).rejects.toMatchObject({ code: 'database_schema_newer' });
});

describe('a migration that fails', () => {
  test('takes those before it of the same run with it', async () => {
    const database = await empty();
    const run = migrate(database, { migrations: { '0001-good': table('kept'), '0002-bad': failing }, nonTransactionalMigrations: {} });
    await expect(run).rejects.toMatchObject({ code: 'migration_failed', message: expect.stringContaining('0002-bad: division by zero') });
    expect(await tablesOf(database)).not.toContain('kept');
    expect(await database.asSuperuser('select name from holdfast.migrations')).toEqual([]);
  });

  test('leaves an earlier version as it was, and its repair is applied in its place', async () => {
    const database = await empty();
    await migrate(database, { migrations: { '0001-good': table('first') } });
    await expect(migrate(database, { migrations: { '0001-good': table('first'), '0002-bad': failing } })).rejects.toMatchObject({
      code: 'migration_failed',
    });
    expect(await migrate(database, { migrations: { '0001-good': table('first'), '0002-bad': table('second') } })).toEqual({
      applied: ['0002-bad'],
    });
    expect(await tablesOf(database)).toEqual(expect.arrayContaining(['first', 'second']));
  });
});

describe('a migration that cannot run in a transaction', () => {
  const index = (column: string) => ({
    up: [`create unique index concurrently by_id on holdfast.things (${column})`],
    undo: ['drop index concurrently if exists holdfast.by_id'],
  });
  const things = {
    '0001-things': {
      up: async (database: Parameters<(typeof migrations)[string]['up']>[0]) =>
        void (await sql`create table holdfast.things as select 1 as same, n as id from generate_series(1, 3) n`.execute(database)),
    },
  };
  const indexes = (database: TestDatabase) =>
    database.asSuperuser(`select i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = 'by_id'`);

  test('is applied after the others, once', async () => {
    const database = await empty();
    const options = { migrations: things, nonTransactionalMigrations: { '0001-index': index('id') } };
    expect(await migrate(database, options)).toEqual({ applied: ['0001-things', '0001-index'] });
    expect(await migrate(database, options)).toEqual({ applied: [] });
    expect(await indexes(database)).toEqual([{ valid: true }]);
  });

  test('that fails is undone and not recorded; what came before it stays, and the next run tries it again', async () => {
    const database = await empty();
    const run = migrate(database, { migrations: things, nonTransactionalMigrations: { '0001-index': index('same') } });
    await expect(run).rejects.toMatchObject({ code: 'migration_failed', message: expect.stringContaining('0001-index') });
    expect(await indexes(database)).toEqual([]);
    expect(await migrate(database, { migrations: things, nonTransactionalMigrations: { '0001-index': index('id') } })).toEqual({
      applied: ['0001-index'],
    });
  });

  test('that a crash cut off is begun anew: the invalid index it left is replaced', async () => {
    const database = await empty();
    await migrate(database, { migrations: things, nonTransactionalMigrations: {} });
    await expect(database.asSuperuser('create unique index concurrently by_id on holdfast.things (same)')).rejects.toMatchObject({
      code: '23505',
    });
    expect(await indexes(database)).toEqual([{ valid: false }]);
    await migrate(database, { migrations: things, nonTransactionalMigrations: { '0001-index': index('id') } });
    expect(await indexes(database)).toEqual([{ valid: true }]);
  });

  test('does not deadlock with instances that wait for it', async () => {
    const database = await empty();
    const options = {
      migrations: things,
      nonTransactionalMigrations: {
        '0001-index': index('id'),
        '0002-sleep': { up: ['select pg_sleep(0.2)'], undo: [] },
        '0003-index': {
          up: ['create index concurrently more on holdfast.things (id)'],
          undo: ['drop index concurrently if exists holdfast.more'],
        },
      },
    };
    const results = await Promise.all([1, 2, 3].map(() => migrate(database, options)));
    expect(results.map(({ applied }) => applied.length).sort((a, b) => a - b)).toEqual([0, 0, 4]);
  });
});

test('a login that may not make roles is told the statements for its administrator', async () => {
  const database = await empty();
  const login = { name: `plain_${database.name}`, password: 'p' };
  await database.asSuperuser(`create role ${login.name} login password '${login.password}'`);
  await expect(migrateDatabase({ target: database.targetAs(login), clock: systemClock })).rejects.toMatchObject({
    code: 'migration_failed',
    details: { statements: expect.arrayContaining([expect.stringMatching(new RegExp(`^grant holdfast_app to ${login.name}`))]) },
  });
  await database.asSuperuser(`drop role ${login.name}`);
});

test('with roles that an administrator made and granted, the login needs no right to make any', async () => {
  const database = await empty();
  const login = { name: `granted_${database.name}`, password: 'p' };
  await database.asSuperuser(`create role ${login.name} login password '${login.password}'`);
  await database.asSuperuser(`alter database ${database.name} owner to ${login.name}`);
  const roles = await database.asSuperuser<{ name: string }>(
    `select rolname as name from pg_roles where rolname like 'holdfast\\_%' and not rolcanlogin`,
  );
  for (const { name } of roles) await database.asSuperuser(`grant ${name} to ${login.name}`);
  const target = database.targetAs(login);
  expect((await migrateDatabase({ target, clock: systemClock })).applied).toEqual(Object.keys(migrations));
  const opened = await database.open({ target });
  await opened.ping();
  await opened.close();
  await database.asSuperuser(`reassign owned by ${login.name} to current_user`);
  await database.asSuperuser(`drop owned by ${login.name}`);
  await database.asSuperuser(`drop role ${login.name}`);
});

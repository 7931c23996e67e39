import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '@holdfast/kit/time';
import { migrateDatabase, openDatabase, type DatabaseTarget } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

async function refusedBoth(target: DatabaseTarget): Promise<void> {
  await expect(openDatabase({ target, maxConnections: 20, clock: systemClock })).rejects.toMatchObject({ code: 'database_login_unsafe' });
  await expect(migrateDatabase({ target, clock: systemClock })).rejects.toMatchObject({ code: 'database_login_unsafe' });
}

describe('refused', () => {
  test('a superuser', () => refusedBoth(postgres.targetAs()));

  test.each([
    ['a login that bypasses row-level security', (name: string) => [`create role ${name} login bypassrls password 'p'`]],
    [
      'a login that may become one that does',
      (name: string) => [
        `create role ${name}_admins bypassrls`,
        `create role ${name}_team role ${name}_admins`,
        `create role ${name} login password 'p' in role ${name}_admins`,
      ],
    ],
    [
      'a login that starts as one that does',
      (name: string) => [
        `create role ${name}_admins bypassrls`,
        `create role ${name} login password 'p' in role ${name}_admins`,
        `alter role ${name} set role = ${name}_admins`,
      ],
    ],
  ])('%s', async (_, statements) => {
    const name = `unsafe_${postgres.name}`;
    for (const statement of statements(name)) await postgres.asSuperuser(statement);
    await refusedBoth(postgres.targetAs({ name, password: 'p' }));
    for (const role of [name, `${name}_team`, `${name}_admins`]) await postgres.asSuperuser(`drop role if exists ${role}`);
  });
});

// The roles of a shared server are other tests' too.
test.skipIf(process.env['TEST_DATABASE_URL'])('a role of ours that was given too much is refused, whoever logs in', async () => {
  await postgres.asSuperuser('alter role holdfast_writer bypassrls');
  await expect(postgres.open()).rejects.toMatchObject({
    code: 'database_login_unsafe',
    message: expect.stringContaining('holdfast_writer'),
  });
  await postgres.asSuperuser('alter role holdfast_writer nobypassrls');
  await (await postgres.open()).ping();
});

test('a URL that asks for another role cannot change the role of a connection', async () => {
  const { target } = postgres;
  if (target.kind !== 'url') throw new Error('expected a URL');
  const url = new URL(target.url.replace('@localhost', '@placeholder'));
  url.searchParams.set('options', '-c role=holdfast_operator -c statement_timeout=12345');
  const database = await postgres.open({ target: { kind: 'url', url: url.href.replace('@placeholder', '@localhost') } });
  const { rows } = await database.pool('app').query(`select current_user as role`);
  expect(rows).toEqual([{ role: 'holdfast_app' }]);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeySecret } from '../../src/features/identity/index.ts';
import { systemRandom } from '@holdfast/kit/time';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, clockFromNow, makeOrganization, refusalOf, startInstance, timeUntil } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

test('while the database is away known keys go on for a minute, and no other key is called unknown', async () => {
  const own = await postgres.createDatabase();
  const clock = clockFromNow();
  const { database, service, authenticator, close } = await startInstance(own, clock);
  const actor = actorOf(await makeOrganization(database, 'acme'));
  const { secret } = await service.create(actor, { name: 'k', scopes: ['inference'] });
  const invented = createKeySecret(systemRandom);
  expect(await refusalOf(authenticator, secret)).toBeUndefined();

  // Nobody but a superuser gets in, and whoever is in is thrown out.
  await postgres.asSuperuser(`alter database ${own.name} connection limit 0`);
  await own.asSuperuser(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  expect(await refusalOf(authenticator, invented)).toBe('database_unavailable');
  clock.advance(59_999);
  expect(await refusalOf(authenticator, secret)).toBeUndefined();
  clock.advance(1);
  expect(await refusalOf(authenticator, secret)).toBe('database_unavailable');

  await postgres.asSuperuser(`alter database ${own.name} connection limit -1`);
  await timeUntil(5_000, async () => (await refusalOf(authenticator, secret)) === undefined);
  expect(await refusalOf(authenticator, invented)).toBe('key_unknown');
  await close();
});

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

test('with a time for it they go on for longer, until their own end and no key beside them, and a revocation counts at once when it is heard of', async () => {
  const own = await postgres.createDatabase();
  const clock = clockFromNow();
  const { database, service, authenticator, close } = await startInstance(own, clock, { awayMs: 600_000 });
  const actor = actorOf(await makeOrganization(database, 'acme'));
  const { secret } = await service.create(actor, { name: 'k', scopes: ['inference'] });
  const ending = await service.create(actor, {
    name: 'e',
    scopes: ['inference'],
    expiresAt: new Date(clock.now() + 300_000),
  });
  for (const each of [secret, ending.secret]) expect(await refusalOf(authenticator, each)).toBeUndefined();
  await postgres.asSuperuser(`alter database ${own.name} connection limit 0`);
  const throwOut = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
  await own.asSuperuser(throwOut);
  clock.advance(200_000);
  for (const each of [secret, ending.secret]) expect(await refusalOf(authenticator, each)).toBeUndefined();
  expect([authenticator.remembers(secret), await refusalOf(authenticator, createKeySecret(systemRandom))]).toEqual([
    true,
    'database_unavailable',
  ]);
  clock.advance(100_000);
  expect([await refusalOf(authenticator, secret), await refusalOf(authenticator, ending.secret)]).toEqual([undefined, 'key_expired']);
  await own.asSuperuser('update holdfast.api_keys set revoked_at = now()');
  await postgres.asSuperuser(`alter database ${own.name} connection limit -1`);
  await timeUntil(5_000, async () => {
    clock.advance(1_000);
    return (await refusalOf(authenticator, secret)) === 'key_revoked';
  });
  await close();
});

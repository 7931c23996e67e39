import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, createKeyAdministration } from '../../src/features/identity/index.ts';
import { createTestTrail } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, makeOrganization, refusalOf, ring, startInstance, timeUntil } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

test('who has the machine makes keys of the first organization, and a running server hears of it', async () => {
  const own = await postgres.createDatabase();
  const [server, terminal] = [await startInstance(own), await startInstance(own)];
  const { organizationId } = await bootstrap({
    database: server.database,
    ring,
    audit: createTestTrail(server.database),
    clock: systemClock,
    random: systemRandom,
  });
  const administration = await createKeyAdministration(terminal);
  const { key, secret } = await administration.create({ name: 'k', scopes: ['inference'] });
  expect(await server.authenticator.authenticate(secret)).toMatchObject({ organizationId, keyId: key.id });
  expect((await administration.list({ limit: 10, beforeId: undefined })).keys.map(({ name }) => name)).toEqual(['k', 'operator']);
  const next = await administration.rotate(key.id.toUpperCase(), { graceSeconds: 0 });
  await timeUntil(1_000, async () => (await refusalOf(server.authenticator, secret)) === 'key_expired');
  await administration.revoke(next.key.id);
  expect(await refusalOf(server.authenticator, next.secret)).toBe('key_revoked');
  const operatorKey = (await administration.list({ limit: 10, beforeId: undefined })).keys.at(-1)!;
  await expect(administration.revoke(operatorKey.id)).rejects.toMatchObject({ code: 'conflict' });
  await Promise.all([server.close(), terminal.close()]);
});

test('names no key by anything but its id, and no key of another organization', async () => {
  const instance = await startInstance(await postgres.createDatabase());
  await bootstrap({
    database: instance.database,
    ring,
    audit: createTestTrail(instance.database),
    clock: systemClock,
    random: systemRandom,
  });
  const administration = await createKeyAdministration(instance);
  const other = actorOf(await makeOrganization(instance.database, 'other'));
  const { key } = await instance.service.create(other, { name: 'k', scopes: ['inference'] });
  for (const id of [key.id, 'nonsense', `${key.id}'; drop table`]) {
    await expect(administration.revoke(id)).rejects.toMatchObject({ code: 'resource_not_found' });
  }
  await instance.close();
});

test('on a database that no server was started on says so, and leaves the first start to the server', async () => {
  const instance = await startInstance(await postgres.createDatabase());
  await expect(createKeyAdministration(instance)).rejects.toMatchObject({ code: 'conflict' });
  expect(
    await bootstrap({
      database: instance.database,
      ring,
      audit: createTestTrail(instance.database),
      clock: systemClock,
      random: systemRandom,
    }),
  ).toMatchObject({
    firstStart: true,
  });
  await instance.close();
});

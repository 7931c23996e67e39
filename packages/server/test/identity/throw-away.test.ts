import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createThrowAwayOrganizations } from '../../src/features/identity/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, makeOrganization, startInstance } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

test('throw-away organizations go with their keys, at once or as leftovers of a process that was killed, and no other ever does', async () => {
  const instance = await startInstance(postgres);
  onTestFinished(() => instance.close());
  const organizations = createThrowAwayOrganizations({ database: instance.database, clock: systemClock, random: systemRandom });
  const mine = await makeOrganization(instance.database, 'holdfast-throw-away-not-really');
  const [now, old] = [await organizations.create('now'), await organizations.create('killed')];
  const { secret } = await instance.service.create(actorOf(now), { name: 'k', scopes: ['inference'] });
  expect(await instance.authenticator.authenticate(secret)).toMatchObject({ organizationId: now });
  await postgres.asSuperuser(`update identity.organization set "createdAt" = now() - interval '1 hour' where id = any($1)`, [[old, mine]]);

  expect(await organizations.removeLeftovers(900_000)).toBe(1);
  const left = async () => (await postgres.asSuperuser<{ id: string }>('select id from identity.organization')).map(({ id }) => id);
  expect(await left()).toEqual(expect.arrayContaining([mine, now]));
  expect(await left()).not.toContain(old);

  await organizations.remove(mine);
  await organizations.remove(now);
  await organizations.remove(now);
  expect(await left()).toContain(mine);
  expect(await left()).not.toContain(now);
  await expect
    .poll(async () => (await Promise.resolve(instance.authenticator.authenticate(secret)).catch((error) => error)).code)
    .toBe('key_unknown');
});

import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bootstrap, createOrganizationService, createOrganizationStore, organizationChanged } from '../../src/features/identity/index.ts';
import { operatorAtTerminal } from '../../src/platform/audit/index.ts';
import { migrateDatabase } from '../../src/platform/postgres/index.ts';
import { migrations } from '../../src/platform/postgres/migrations/index.ts';
import { createTestTrail, storedEvents } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, makeOrganization, newId, ring, startInstance, timeUntil } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const tierNames = () => ['basic', 'pro', 'unlimited', 'gold'];

async function setUp() {
  const own = await postgres.createDatabase();
  const instance = await startInstance(own);
  onTestFinished(() => instance.close());
  const service = createOrganizationService({
    store: createOrganizationStore(instance.database, createTestTrail(instance.database)),
    tierNames,
  });
  return { own, instance, service };
}

test('the organization of the first start is unlimited, later ones are basic', async () => {
  const { instance, service } = await setUp();
  const { organizationId } = await bootstrap({
    database: instance.database,
    ring,
    audit: createTestTrail(instance.database),
    clock: systemClock,
    random: systemRandom,
  });
  const later = await makeOrganization(instance.database, 'later');
  expect([(await service.get(organizationId)).tier, (await service.get(later)).tier]).toEqual(['unlimited', 'basic']);
  expect((await service.list({ limit: 10, beforeId: undefined })).organizations.map(({ slug }) => slug)).toEqual(['later', 'default']);
});

test('a changed tier reaches the keys that every instance holds in memory within a second', async () => {
  const { own, instance, service } = await setUp();
  const there = await startInstance(own);
  onTestFinished(() => there.close());
  const id = await makeOrganization(instance.database, 'acme');
  const other = await makeOrganization(instance.database, 'zebra');
  const secrets = await Promise.all(
    [id, id, other].map(
      async (organization) => (await instance.service.create(actorOf(organization), { name: 'k', scopes: ['inference'] })).secret,
    ),
  );
  const tiers = async () => Promise.all(secrets.map(async (secret) => (await there.authenticator.authenticate(secret)).organizationTier));
  await timeUntil(5_000, async () => {
    await tiers();
    return secrets.every((secret) => !(there.authenticator.authenticate(secret) instanceof Promise));
  });
  expect(await tiers()).toEqual(['basic', 'basic', 'basic']);

  await service.setTier(id, 'gold', operatorAtTerminal);
  await timeUntil(1_000, async () => (await tiers()).join() === 'gold,gold,basic');
});

test('a tier that is not configured is refused, and so is an organization that does not exist', async () => {
  const { instance, service } = await setUp();
  const id = await makeOrganization(instance.database, 'acme');
  await expect(service.setTier(id, 'platinum', operatorAtTerminal)).rejects.toMatchObject({
    code: 'invalid_request',
    details: [{ field: 'tier', message: 'must be one of basic, pro, unlimited, gold' }],
  });
  for (const ask of [() => service.setTier(newId(), 'pro', operatorAtTerminal), () => service.get(newId()), () => service.find('nobody')]) {
    await expect(ask()).rejects.toMatchObject({ code: 'resource_not_found' });
  }
  expect((await service.find('acme')).tier).toBe('basic');
  expect((await service.find(id.toUpperCase())).slug).toBe('acme');
});

test('says who changed what, once it is done', async () => {
  const byKey = { actor: { type: 'key', id: 'key-1' } } as const;
  const { own, instance, service } = await setUp();
  const id = await makeOrganization(instance.database, 'acme');
  const heard: unknown[] = [];
  onTestFinished(organizationChanged.subscribe((event) => heard.push(event)));
  await service.setTier(id, 'pro', byKey);
  await expect(service.setTier(id, 'nothing', byKey)).rejects.toThrow();
  expect(heard).toEqual([{ organizationId: id, tier: 'pro', byKeyId: 'key-1' }]);
  expect((await storedEvents(own)).filter(({ organization_id }) => organization_id === id)).toMatchObject([
    { type: 'organization.changed', ...byKey, resource: { type: 'organization', id }, details: { tier: 'pro', tier_before: 'basic' } },
  ]);
});

test('a database of the version before knows its first organization as unlimited after the update', async () => {
  const own = await postgres.createDatabase({ migrated: false });
  const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0006'));
  await migrateDatabase({ target: own.target, clock: systemClock, migrations: before, nonTransactionalMigrations: {} });
  const first = newId();
  for (const [id, slug] of [
    [first, 'default'],
    [newId(), 'other'],
  ])
    await own.asSuperuser(`insert into identity.organization (id, name, slug) values ($1, $2, $2)`, [id, slug]);
  await own.asSuperuser(`insert into holdfast.settings values ('first_start', jsonb_build_object('organization_id', $1::text))`, [first]);

  await migrateDatabase({ target: own.target, clock: systemClock });
  expect(await own.asSuperuser(`select slug, tier from identity.organization order by slug`)).toEqual([
    { slug: 'default', tier: 'unlimited' },
    { slug: 'other', tier: 'basic' },
  ]);
});

test('an organization lists by pages, each once', async () => {
  const { instance, service } = await setUp();
  const made: string[] = [];
  for (let at = 0; at < 5; at++) made.push(await makeOrganization(instance.database, `o${at}`));
  const first = await service.list({ limit: 3, beforeId: undefined });
  const second = await service.list({ limit: 3, beforeId: first.organizations.at(-1)!.id });
  expect([first.more, second.more]).toEqual([true, false]);
  expect([...first.organizations, ...second.organizations].map(({ id }) => id)).toEqual(made.sort().reverse());
});

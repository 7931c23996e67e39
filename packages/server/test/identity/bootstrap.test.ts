import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bootstrap,
  createDatabaseKeyDirectory,
  createDatabaseKeySignal,
  createKeyAuthenticator,
  createKeySecret,
  isWellFormedKey,
} from '../../src/features/identity/index.ts';
import { scopes } from '../../src/model/principal.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createTestTrail } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { refusalOf, ring } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const start = (database: Database, givenKey?: string) =>
  bootstrap({ database, ring, audit: createTestTrail(database), clock: systemClock, random: systemRandom, givenKey });

async function authenticatorOf(database: Database, acceptsGivenSecrets: boolean) {
  const authenticator = createKeyAuthenticator({
    directory: createDatabaseKeyDirectory(database),
    signal: createDatabaseKeySignal(database),
    ring,
    clock: systemClock,
    acceptsGivenSecrets,
  });
  await authenticator.start();
  return authenticator;
}

test('the first start makes one organization and an operator with every scope, and shows the key once', async () => {
  const database = await (await postgres.createDatabase()).open();
  const first = await start(database);
  expect(first).toMatchObject({ firstStart: true, acceptsGivenSecrets: false });
  expect(isWellFormedKey(first.operatorKey!)).toBe(true);
  const authenticator = await authenticatorOf(database, false);
  expect(await authenticator.authenticate(first.operatorKey!)).toMatchObject({
    organizationId: first.organizationId,
    scopes: new Set(scopes),
    allowedModels: undefined,
  });
  expect(await start(database)).toEqual({
    firstStart: false,
    organizationId: first.organizationId,
    operatorKey: undefined,
    acceptsGivenSecrets: false,
  });
  await authenticator.close();
});

test('of instances that start together one is the first, and there is one key', async () => {
  const own = await postgres.createDatabase();
  const databases = await Promise.all(Array.from({ length: 4 }, () => own.open()));
  const results = await Promise.all(databases.flatMap((database) => [start(database), start(database)]));
  expect(results.filter((result) => result.firstStart)).toHaveLength(1);
  expect(new Set(results.map((result) => result.organizationId)).size).toBe(1);
  expect(await own.asSuperuser('select 1 from holdfast.api_keys')).toHaveLength(1);
  expect(await own.asSuperuser('select 1 from identity.organization')).toHaveLength(1);
});

test('a given key of our form is the operator key, and malformed ones are still refused without a lookup', async () => {
  const database = await (await postgres.createDatabase()).open();
  const givenKey = createKeySecret(systemRandom);
  expect(await start(database, givenKey)).toMatchObject({ firstStart: true, operatorKey: givenKey, acceptsGivenSecrets: false });
  const authenticator = await authenticatorOf(database, false);
  expect(await refusalOf(authenticator, givenKey)).toBeUndefined();
  await authenticator.close();
});

test('a given secret of any other form is the operator key too, and later starts know that there is one', async () => {
  const own = await postgres.createDatabase();
  const database = await own.open();
  const givenKey = 'Zx81-deployment-tool-secret-0123456789abcdef';
  await start(database, givenKey);
  const { acceptsGivenSecrets } = await start(database);
  expect(acceptsGivenSecrets).toBe(true);
  const authenticator = await authenticatorOf(database, acceptsGivenSecrets);
  expect(await refusalOf(authenticator, givenKey)).toBeUndefined();
  expect(await refusalOf(authenticator, `${givenKey}x`)).toBe('key_malformed');
  await authenticator.close();
  const tables = await own.asSuperuser<{ all: string }>(
    `select string_agg(t::text, ' ') as all from (select api_keys::text as t from holdfast.api_keys union all select settings::text from holdfast.settings) as rows`,
  );
  expect(tables[0]!.all).not.toContain(givenKey);
});

test('a later start does not look at the given key', async () => {
  const own = await postgres.createDatabase();
  const database = await own.open();
  await start(database);
  const later = createKeySecret(systemRandom);
  expect(await start(database, later)).toMatchObject({ firstStart: false, operatorKey: undefined });
  expect(await own.asSuperuser('select 1 from holdfast.api_keys')).toHaveLength(1);
});

test.each([
  ['too short', 'short-secret'],
  ['with a space', 'a secret that has spaces in it, and is long'],
  ['too long', 'abcdefgh'.repeat(33)],
  ['that repeats itself', 'ab'.repeat(20)],
])('a given key %s is a fault of the configuration, which does not repeat it', async (_, givenKey) => {
  const database = await (await postgres.createDatabase()).open();
  const fault = await start(database, givenKey).catch((error: unknown) => error as Error & { details: unknown });
  expect(fault).toMatchObject({ code: 'configuration_invalid', message: expect.stringContaining('HOLDFAST_BOOTSTRAP_KEY') });
  expect(JSON.stringify([(fault as Error).message, (fault as { details: unknown }).details])).not.toContain(givenKey);
});

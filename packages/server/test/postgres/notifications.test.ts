import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
let proxy: DatabaseProxy;
let database: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  proxy = await startDatabaseProxy(postgres.target);
  database = await postgres.open({ target: proxy.target });
  return async () => {
    await database.close();
    await proxy.stop();
  };
});

const notify = (channel: string, payload: string) => postgres.asSuperuser('select pg_notify($1, $2)', [channel, payload]);
const connected = (state: boolean) => expect.poll(() => database.notifications.connected, { timeout: 10_000 }).toBe(state);

test('what is notified once it is connected arrives, in order, at every subscriber of the channel and at no other', async () => {
  const heard: string[] = [];
  database.notifications.subscribe('one', (payload) => heard.push(`first ${payload}`));
  database.notifications.subscribe('one', (payload) => heard.push(`second ${payload}`));
  database.notifications.subscribe('Two "quoted"', (payload) => heard.push(`two ${payload}`));
  await connected(true);
  await notify('one', 'a');
  await notify('three', 'b');
  await notify('Two "quoted"', 'c');
  await expect.poll(() => heard).toEqual(['first a', 'second a', 'two c']);
});

test('a new channel counts as not connected until it is listened to', async () => {
  const states: boolean[] = [];
  database.notifications.onStateChange((state) => states.push(state));
  database.notifications.subscribe('one', () => {});
  await connected(true);
  const heard: string[] = [];
  database.notifications.subscribe('two', (payload) => heard.push(payload));
  expect(database.notifications.connected).toBe(false);
  await connected(true);
  await notify('two', 'x');
  await expect.poll(() => heard).toEqual(['x']);
  expect(states).toEqual([true, false, true]);
});

test('an ended subscription hears nothing more', async () => {
  const heard: string[] = [];
  const end = database.notifications.subscribe('one', () => heard.push('ended'));
  database.notifications.subscribe('one', () => heard.push('kept'));
  await connected(true);
  end();
  end();
  await notify('one', 'x');
  await expect.poll(() => heard).toEqual(['kept']);
});

test('a cut connection is reported, made again by itself, and listens to everything again', async () => {
  const heard: string[] = [];
  const states: boolean[] = [];
  database.notifications.onStateChange((state) => states.push(state));
  database.notifications.subscribe('one', (payload) => heard.push(payload));
  await connected(true);
  proxy.cut();
  await connected(false);
  await notify('one', 'lost');
  proxy.restore();
  await connected(true);
  await notify('one', 'heard');
  await expect.poll(() => heard).toEqual(['heard']);
  expect(states).toEqual([true, false, true]);
});

test('a connection that fell silent is noticed by its heartbeat and replaced', async () => {
  const heard: string[] = [];
  database.notifications.subscribe('one', (payload) => heard.push(payload));
  await connected(true);
  proxy.freeze();
  await connected(false);
  proxy.restore();
  await connected(true);
  await notify('one', 'heard');
  await expect.poll(() => heard).toEqual(['heard']);
});

test('a change of a key is notified with its id, a note of its last use is not', async () => {
  const organization = '01890000-0000-7000-8000-000000000001';
  const key = '01890000-0000-7000-8000-000000000002';
  await database.asOperator(async (transaction) => {
    await transaction
      .insertInto('identity.organization')
      .values({ id: organization, name: 'O', slug: 'o', logo: null, metadata: null })
      .execute();
    await transaction
      .insertInto('holdfast.api_keys')
      .values({ id: key, organization_id: organization, name: 'k', prefix: 'hf', hash: Buffer.from('h'), hash_key_version: 1, scopes: [] })
      .execute();
  });
  const heard: string[] = [];
  database.notifications.subscribe('holdfast_keys', (payload) => heard.push(payload));
  database.notifications.subscribe('marker', () => heard.push('marker'));
  await connected(true);
  await database.query('jobs').updateTable('holdfast.api_keys').set({ last_used_at: new Date() }).where('id', '=', key).execute();
  await notify('marker', '');
  await expect.poll(() => heard).toEqual(['marker']);
  await database.withOrganization(organization, (transaction) =>
    transaction.updateTable('holdfast.api_keys').set({ revoked_at: new Date() }).execute(),
  );
  await expect.poll(() => heard).toEqual(['marker', key]);
  await database.query('identity').deleteFrom('identity.organization').where('id', '=', organization).execute();
  await expect.poll(() => heard).toEqual(['marker', key, key]);
});

test('after the close nothing is listened to and nothing can be subscribed', async () => {
  database.notifications.subscribe('one', () => {});
  await connected(true);
  await database.close();
  expect(database.notifications.connected).toBe(false);
  expect(() => database.notifications.subscribe('two', () => {})).toThrow();
  await expect
    .poll(() =>
      postgres.asSuperuser(`select 1 from pg_stat_activity where application_name = 'holdfast listen' and datname = current_database()`),
    )
    .toEqual([]);
});

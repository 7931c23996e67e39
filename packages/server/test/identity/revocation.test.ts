import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, clockFromNow, makeOrganization, refusalOf, startInstance, timeUntil } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

/** Two servers over one database, and a key that both hold in memory. */
async function twoInstances() {
  const own = await postgres.createDatabase();
  const [here, there] = await Promise.all([startInstance(own), startInstance(own)]);
  const actor = actorOf(await makeOrganization(here.database, 'acme'));
  const { key, secret } = await here.service.create(actor, { name: 'k', scopes: ['inference'] });
  await timeUntil(5_000, () => here.database.notifications.connected && there.database.notifications.connected);
  for (const { authenticator } of [here, there]) {
    await authenticator.authenticate(secret);
    await timeUntil(5_000, () => !(authenticator.authenticate(secret) instanceof Promise));
  }
  const close = () => Promise.all([here.close(), there.close()]);
  return { own, here, there, actor, key, secret, close };
}

/** The channel stays up and carries nothing: nobody is told that it is of no use. */
async function silenceNotifications(own: TestDatabase): Promise<void> {
  const source = await own.asSuperuser<{ body: string }>(`select pg_get_functiondef('holdfast.announce_key()'::regprocedure) as body`);
  const silent = source[0]!.body.replace(/perform pg_notify\([^;]*;/, '');
  expect(silent).not.toBe(source[0]!.body);
  await own.asSuperuser(silent);
}

describe('a revoked key stops working on every instance within a second', () => {
  test('through the notification', async () => {
    const { here, there, actor, key, secret, close } = await twoInstances();
    await here.service.revoke(actor, key.id);
    for (const { authenticator } of [here, there]) {
      await timeUntil(1_000, async () => (await refusalOf(authenticator, secret)) === 'key_revoked');
    }
    await close();
  });

  test('with the listening connection cut again and again', async () => {
    const { own, here, there, actor, key, secret, close } = await twoInstances();
    const cut = () =>
      own.asSuperuser(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast listen' and datname = current_database()`,
      );
    await cut();
    await here.service.revoke(actor, key.id);
    await timeUntil(1_000, async () => {
      await cut();
      return (await refusalOf(there.authenticator, secret)) === 'key_revoked';
    });
    await close();
  });

  test('with a channel that looks alive and carries nothing', async () => {
    const { own, here, there, actor, key, secret, close } = await twoInstances();
    await silenceNotifications(own);
    const heard: string[] = [];
    there.database.notifications.subscribe('holdfast_keys', (keyId) => heard.push(keyId));
    await here.service.revoke(actor, key.id);
    await timeUntil(1_000, async () => (await refusalOf(there.authenticator, secret)) === 'key_revoked');
    expect(heard).toEqual([]);
    await close();
  });
});

test('keys that go with their organization stop working too, with nothing notified but the change itself', async () => {
  const { own, there, actor, secret, close } = await twoInstances();
  await own.asSuperuser(`delete from identity.organization where id = $1`, [actor.organizationId]);
  await timeUntil(1_000, async () => (await refusalOf(there.authenticator, secret)) === 'key_unknown');
  await close();
});

test('a change that is committed long after others is not passed over by the poll', async () => {
  const { own, here, there, actor, key, secret, close } = await twoInstances();
  await silenceNotifications(own);
  const other = await here.service.create(actor, { name: 'other', scopes: ['inference'] });
  const updated = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const slow = here.database.withOrganization(actor.organizationId, async (transaction) => {
    await transaction.updateTable('holdfast.api_keys').set({ revoked_at: new Date() }).where('id', '=', key.id).execute();
    updated.resolve();
    await mayCommit.promise;
  });
  // Later changes are made, committed and read while the first is still open.
  await updated.promise;
  await there.authenticator.authenticate(other.secret);
  await here.service.revoke(actor, other.key.id);
  await timeUntil(2_000, async () => (await refusalOf(there.authenticator, other.secret)) === 'key_revoked');
  expect(await refusalOf(there.authenticator, secret)).toBeUndefined();
  mayCommit.resolve();
  await slow;
  await timeUntil(1_000, async () => (await refusalOf(there.authenticator, secret)) === 'key_revoked');
  await close();
});

test('a time of last use is written, is no change, and leaves the key in memory', async () => {
  const own = await postgres.createDatabase();
  const clock = clockFromNow();
  const { database, service, authenticator, close } = await startInstance(own, clock);
  const actor = actorOf(await makeOrganization(database, 'acme'));
  const { key, secret } = await service.create(actor, { name: 'k', scopes: ['inference'] });
  await authenticator.authenticate(secret);
  const usedAt = clock.now();
  // The last times are written when it stops.
  await authenticator.close();
  expect((await service.get(actor, key.id)).lastUsedAt).toEqual(new Date(usedAt));
  expect(await own.asSuperuser('select * from holdfast.key_changes')).toEqual([]);
  await close();
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ban, BanStore } from '@holdfast/kit/security';
import { banStoreContract } from '@holdfast/kit/security/contract';
import { systemClock } from '@holdfast/kit/time';
import { createDatabaseBanStore } from '../../src/features/abuse/index.ts';
import { queryCompleted, type Database } from '../../src/platform/postgres/index.ts';
import { clockFromNow, timeUntil } from '../identity/fixture.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

/** One instance's connections and store; `heard` is what it was told. */
async function connect(own: TestDatabase): Promise<{ readonly database: Database; readonly store: BanStore }> {
  const database = await own.open();
  // Listening already, so that what is told is not left to the poll.
  database.notifications.subscribe('holdfast_bans', () => {});
  await timeUntil(5_000, () => database.notifications.connected);
  return { database, store: createDatabaseBanStore({ database, clock: systemClock }) };
}

/** Resolves when all that was notified before has arrived. */
async function delivered(databases: readonly Database[], own: TestDatabase): Promise<void> {
  const marker = String(Math.random());
  const arrived = databases.map(
    ({ notifications }) =>
      new Promise<void>((resolve) => {
        const end = notifications.subscribe('holdfast_bans', (payload) => {
          if (payload !== JSON.stringify({ range: marker, revision: 0 })) return;
          end();
          resolve();
        });
      }),
  );
  await own.asSuperuser(`select pg_notify('holdfast_bans', $1)`, [JSON.stringify({ range: marker, revision: 0 })]);
  await Promise.all(arrived);
}

describe('the contract of a store of bans', () => {
  /** Instances that were opened for a case before, on the first database: opening one takes longer than the case. */
  const instances: { readonly database: Database; readonly store: BanStore }[] = [];
  const contract = banStoreContract(() => {
    let connected = 0;
    return {
      async connect() {
        const at = connected++;
        return (instances[at] ??= await connect(postgres)).store;
      },
      delivered: () =>
        delivered(
          instances.map(({ database }) => database),
          postgres,
        ),
      close: async () => void (await postgres.asSuperuser('delete from holdfast.bans')),
    };
  });
  for (const { name, run } of contract) test(name, run);
});

const ban = (range: string, over: Partial<Ban> = {}): Ban => ({
  range,
  reason: 'endpoint_scanning',
  source: 'automatic',
  bannedAtMs: Date.UTC(2027, 0, 1),
  endsAtMs: Date.UTC(2027, 0, 1, 1),
  repeats: 0,
  by: null,
  note: null,
  ...over,
});

describe('every instance knows within a second', () => {
  async function twoInstances() {
    const own = await postgres.createDatabase();
    const [here, there] = await Promise.all([connect(own), connect(own)]);
    const heard: string[] = [];
    const end = await there.store.subscribe({
      onAdded: ({ range }) => heard.push(`+${range}`),
      onLifted: (range) => heard.push(`-${range}`),
      onMissed: () => heard.push('missed'),
    });
    return { own, here: here.store, heard, close: async () => (await end(), own.stop()) };
  }

  test('with the listening connection cut again and again', async () => {
    const { own, here, heard, close } = await twoInstances();
    const cut = () =>
      own.asSuperuser(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast listen' and datname = current_database()`,
      );
    await cut();
    await here.put([ban('203.0.113.7')]);
    await timeUntil(1_000, async () => (await cut(), heard.includes('+203.0.113.7')));
    await here.lift('203.0.113.7');
    await timeUntil(1_000, async () => (await cut(), heard.includes('-203.0.113.7')));
    await close();
  });

  test('with a channel that looks alive and carries nothing', async () => {
    const { own, here, heard, close } = await twoInstances();
    await own.asSuperuser(
      `create or replace function holdfast.announce_ban() returns trigger language plpgsql as $$ begin return null; end $$`,
    );
    await here.put([ban('203.0.113.7'), ban('2001:db8::/64')]);
    await timeUntil(1_000, () => heard.length === 2);
    expect(heard.toSorted()).toEqual(['+2001:db8::/64', '+203.0.113.7']);
    await here.lift('203.0.113.7');
    await timeUntil(1_000, () => heard.length === 3);
    expect(heard[2]).toBe('-203.0.113.7');
    await close();
  });

  test('each change once, although notification and poll both tell of it', async () => {
    const own = await postgres.createDatabase();
    const { database } = await connect(own);
    const clock = clockFromNow();
    const store = createDatabaseBanStore({ database, clock });
    const heard: string[] = [];
    await store.subscribe({
      onAdded: ({ range }) => heard.push(range),
      onLifted: () => {},
      onMissed: () => heard.push('missed'),
    });
    const ranges = Array.from({ length: 20 }, (_, at) => `203.0.113.${at}`);
    for (const range of ranges) await store.put([ban(range)]);
    await delivered([database], own);
    expect(heard).toEqual(ranges);
    for (let polls = 0; polls < 2; polls++) {
      let queries = 0;
      const stop = queryCompleted.subscribe(({ role }) => void (role === 'jobs' && queries++));
      clock.advance(500);
      // The poll, and the first time the read of what it names.
      await timeUntil(1_000, () => queries === (polls === 0 ? 2 : 1));
      stop();
    }
    expect(heard).toEqual(ranges);
    await own.stop();
  });
});

test('a row that no ban can have is refused by the table, so that no notification is ever too long', async () => {
  const own = await postgres.createDatabase();
  const { store } = await connect(own);
  const longest = ban('2001:db8::/64', { source: 'manual', by: 'x'.repeat(200), note: '\u{1}'.repeat(500), reason: 'r'.repeat(64) });
  expect(await store.put([longest])).toEqual([longest]);
  for (const over of [{ note: 'x'.repeat(501) }, { by: 'x'.repeat(201) }, { reason: '' }, { range: 'x'.repeat(65) }]) {
    await expect(store.put([ban('203.0.113.7', over)])).rejects.toMatchObject({ code: '23514' });
  }
  await own.stop();
});

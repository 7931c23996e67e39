import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ban, BanStore } from '@holdfast/kit/security';
import { banStoreContract } from '@holdfast/kit/security/contract';
import { systemClock, type Clock } from '@holdfast/kit/time';
import { createDatabaseBanStore } from '../../src/features/abuse/index.ts';
import { databaseQueryCompleted, type Database } from '../../src/platform/postgres/index.ts';
import { clockFromNow, timeUntil } from '../identity/fixture.ts';
import { createTestTrail, storedEvents } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

interface Instance {
  readonly database: Database;
  readonly store: BanStore;
  /** Statements of its store that are under way. */
  readonly reading: () => number;
}

async function connect(own: TestDatabase, clock: Clock = systemClock): Promise<Instance> {
  const database = await own.open();
  // Listening already, so that what is told is not left to the poll.
  database.notifications.subscribe('holdfast_bans', () => {});
  await timeUntil(5_000, () => database.notifications.connected);
  let reading = 0;
  const observed = database.query('jobs').withPlugin({
    transformQuery: ({ node }) => (reading++, node),
    transformResult: async ({ result }) => (reading--, result),
  });
  const query: Database['query'] = (role) => (role === 'jobs' ? observed : database.query(role));
  const { notifications } = database;
  return {
    database,
    store: createDatabaseBanStore({ database: { query, notifications }, audit: createTestTrail(database), clock }),
    reading: () => reading,
  };
}

/** Resolves when all that was notified before has arrived, and what it led to was read. */
async function delivered(instances: readonly Instance[], own: TestDatabase): Promise<void> {
  const marker = String(Math.random());
  const arrived = instances.map(
    ({ database: { notifications } }) =>
      new Promise<void>((resolve) => {
        const end = notifications.subscribe('holdfast_bans', (payload) => {
          if (payload !== marker) return;
          end();
          resolve();
        });
      }),
  );
  await own.asSuperuser(`select pg_notify('holdfast_bans', $1)`, [marker]);
  await Promise.all(arrived);
  await timeUntil(5_000, () => instances.every(({ reading }) => reading() === 0));
}

describe('the contract of a store of bans', () => {
  /** Instances that were opened for a case before, on the first database: opening one takes longer than the case. */
  const instances: Instance[] = [];
  const contract = banStoreContract(() => {
    let connected = 0;
    return {
      async connect() {
        const at = connected++;
        return (instances[at] ??= await connect(postgres)).store;
      },
      delivered: () => delivered(instances, postgres),
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
    const clock = clockFromNow();
    const { store, reading } = await connect(own, clock);
    const heard: string[] = [];
    await store.subscribe({
      onAdded: ({ range }) => heard.push(range),
      onLifted: () => {},
      onMissed: () => heard.push('missed'),
    });
    const ranges = Array.from({ length: 20 }, (_, at) => `203.0.113.${at}`);
    for (const range of ranges) await store.put([ban(range)]);
    await timeUntil(5_000, () => heard.length === ranges.length && reading() === 0);
    for (let polls = 0; polls < 2; polls++) {
      let queries = 0;
      const stop = databaseQueryCompleted.subscribe(({ role }) => void (role === 'jobs' && queries++));
      clock.advance(500);
      // The poll, and the first time the read of what it names.
      await timeUntil(5_000, () => queries >= (polls === 0 ? 2 : 1) && reading() === 0);
      stop();
    }
    expect(heard).toEqual(ranges);
    await own.stop();
  });

  test('and nobody who can notify can ban or lift', async () => {
    const { own, here, heard, close } = await twoInstances();
    await here.put([ban('203.0.113.7')]);
    await timeUntil(1_000, () => heard.length === 1);
    const forged = { ...ban('203.0.113.8'), revision: 1e9, lifted: false };
    for (const payload of [
      '',
      '203.0.113.8',
      '203.0.113.7',
      'nonsense',
      '{',
      JSON.stringify(forged),
      JSON.stringify({ ...forged, range: '203.0.113.7', lifted: true }),
    ])
      await own.asSuperuser(`select pg_notify('holdfast_bans', $1)`, [payload]);
    await here.put([ban('203.0.113.9')]);
    await timeUntil(1_000, () => heard.includes('+203.0.113.9'));
    expect(heard).toEqual(['+203.0.113.7', '+203.0.113.9']);
    await close();
  });
});

test('a row that no ban can have is refused by the table', async () => {
  const own = await postgres.createDatabase();
  const { store } = await connect(own);
  const longest = ban('2001:db8::/64', { source: 'manual', by: 'x'.repeat(200), note: '\u{1}'.repeat(500), reason: 'r'.repeat(64) });
  expect(await store.put([longest])).toEqual([longest]);
  for (const over of [{ note: 'x'.repeat(501) }, { by: 'x'.repeat(201) }, { reason: '' }, { range: 'x'.repeat(65) }]) {
    await expect(store.put([ban('203.0.113.7', over)])).rejects.toMatchObject({ code: '23514' });
  }
  await own.stop();
});

describe('the audit log', () => {
  test('has an event of each ban that stands and of each end of one, by whoever it was, and none of what is put again', async () => {
    const own = await postgres.createDatabase();
    const { store } = await connect(own);
    const person = ban('198.51.100.7', { source: 'manual', reason: 'manual', by: 'key-1', endsAtMs: null, note: 'enough' });
    await store.put([ban('203.0.113.7')]);
    // After an answer that was lost.
    await store.put([ban('203.0.113.7')]);
    await store.put([person], { actor: { type: 'key', id: 'key-1' }, requestId: 'r-1' });
    // What a person said stands.
    await store.put([ban('198.51.100.7')]);
    await store.lift('203.0.113.7', { actor: { type: 'key', id: 'key-2' } });
    await store.lift('203.0.113.7', { actor: { type: 'key', id: 'key-2' } });
    const events = await storedEvents(own);
    expect(events.map(({ type, actor, request_id }) => [type, actor, request_id])).toStrictEqual([
      ['ban.added', { type: 'system' }, undefined],
      ['ban.added', { type: 'key', id: 'key-1' }, 'r-1'],
      ['ban.lifted', { type: 'key', id: 'key-2' }, undefined],
    ]);
    expect(events[0]!.details).toMatchObject({ reason: 'endpoint_scanning', repeats: 0, ends_at: '2027-01-01T01:00:00.000Z' });
    const references = events.flatMap(({ details }) => [details!['range'], details!['note'] ?? []].flat());
    expect(references).toHaveLength(4);
    for (const reference of references) expect(reference).toMatch(/^[\w-]{43}$/);
    await own.stop();
  });
});

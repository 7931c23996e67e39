import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PoolClient } from 'pg';
import { hashLeaf, TiledTree } from '@holdfast/kit/audit';
import { createFakeClock } from '@holdfast/kit/testing';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { openDatabaseSession } from '../../src/features/audit/index.ts';
import { createKeyRing } from '../../src/platform/keyring/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  advanceUntil,
  append,
  auditEvent,
  createId,
  createSequencer,
  election,
  ending,
  keyRing,
  readLog,
  sequenceAll,
  verifyLog,
} from './fixture.ts';

let cluster: TestDatabase;
let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  cluster = await startTestDatabase();
});
beforeEach(async () => {
  postgres = await cluster.createDatabase();
  database = await postgres.open();
});
afterAll(() => cluster.stop());

const waiting = async () => (await postgres.asSuperuser('select from holdfast.audit_inbox')).length;
const placed = async () => (await postgres.asSuperuser('select from holdfast.audit_log')).length;
const session = (of: Database) =>
  openDatabaseSession({ database: of, keyRing, clock: systemClock, random: systemRandom, createId, retentionDays: () => 90 });

describe('of several instances', () => {
  test('one is elected, makes the keys once, and another takes over when its connection is cut', async () => {
    const clock = createFakeClock();
    const first = election();
    const instances = [createSequencer(database, { clock }), createSequencer(await postgres.open(), { clock })];
    for (const instance of instances) instance.start();
    await first;
    await append(database, [auditEvent()]);
    await advanceUntil(clock, async () => (await waiting()) === 0);
    expect(instances.filter(({ state }) => state.elected)).toHaveLength(1);
    expect((await readLog(postgres)).verifierKeys).toHaveLength(2);

    const next = election();
    const cut = await postgres.asSuperuser(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(cut).toHaveLength(1);
    await append(database, [auditEvent(), auditEvent()]);
    await advanceUntil(clock, async () => (await placed()) === 3);
    expect(await next).toMatchObject({ epoch: 2, deposed: false });
    await Promise.all(instances.map((instance) => instance.stop()));
    expect((await verifyLog(postgres)).size).toBe(3);
  });

  test('one that stands still with the lock is deposed, and writes nothing when it goes on', async () => {
    await append(database, [auditEvent()]);
    await sequenceAll(database);

    // Elected, and about to write what it has read.
    const stale = await session(database);
    expect((await stale.survey()).elected).toBe(true);
    const head = await stale.claim();
    const event = auditEvent();
    await append(database, [event]);
    const [row] = await stale.readWaiting(10, []);
    const tree = new TiledTree(head.size, head.pending);
    tree.append(hashLeaf(Buffer.from('forged')));

    const clock = createFakeClock();
    const deposing = election();
    const other = createSequencer(await postgres.open(), { clock });
    other.start();
    await advanceUntil(clock, async () => (await waiting()) === 0);
    expect(await deposing).toMatchObject({ deposed: true, epoch: head.epoch + 1 });

    const { epoch, size } = head;
    const growth = {
      ...{ epoch, oldSize: size, size: size + 1, root: tree.root(), tail: tree.tail, tiles: [], note: 'never\n', lastNumbers: new Map() },
      ...{ leaves: [], rejected: [], seqs: [row!.seq] },
    };
    expect(await stale.commit(growth)).toBe(false);
    expect(await stale.commit({ ...growth, oldSize: size + 1, size: size + 2 })).toBe(false);
    expect((await stale.maintain(epoch)).more).toBe(false);
    await stale.close();
    await other.stop();
    const { leaves } = await verifyLog(postgres);
    expect(leaves.map(({ id }) => id).slice(1)).toEqual([event.id]);
  });

  test('one that is superseded says so and lets go', async () => {
    const clock = createFakeClock();
    const sequencer = createSequencer(database, { clock });
    const elected = election();
    sequencer.start();
    await elected;
    const other = await session(await postgres.open());
    await other.claim();
    await other.close();
    const end = ending();
    await append(database, [auditEvent()]);
    await advanceUntil(clock, async () => (await waiting()) === 0);
    expect((await end).reason).toBe('superseded');
    await sequencer.stop();
    expect((await verifyLog(postgres)).size).toBe(1);
  });
});

/** The database as one sees it whose connection breaks right after a commit was sent, and done. */
function losingAnswers(of: Database, losses: number): Pick<Database, 'pool' | 'query'> {
  let left = losses;
  return {
    query: (role) => of.query(role),
    pool(role) {
      const pool = of.pool(role);
      return Object.assign(Object.create(pool) as typeof pool, {
        async connect(): Promise<PoolClient> {
          const client = await pool.connect();
          const query = client.query.bind(client) as (config: { name?: string }) => Promise<unknown>;
          Object.assign(client, {
            async query(config: { name?: string }) {
              const result = await query(config);
              if (config.name === 'holdfast_audit_commit' && left-- > 0) throw new Error('Connection terminated unexpectedly');
              return result;
            },
          });
          return client;
        },
      });
    },
  };
}

test('a commit whose answer was lost is not made again', async () => {
  const events = Array.from({ length: 5 }, () => auditEvent());
  await append(database, events.slice(0, 3));
  const clock = createFakeClock();
  const sequencer = createSequencer(losingAnswers(database, 2), { clock });
  sequencer.start();
  await advanceUntil(clock, async () => (await placed()) === 3);
  await append(database, events.slice(3));
  await advanceUntil(clock, async () => (await placed()) === 5);
  await sequencer.stop();
  expect((await verifyLog(postgres)).leaves.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
});

test('the log is not continued while its keys cannot be opened, and events wait', async () => {
  await append(database, [auditEvent()]);
  await sequenceAll(database);
  await append(database, [auditEvent()]);
  const wrong = createKeyRing([{ version: 1, secret: Buffer.alloc(32, 8) }]);
  const other = await openDatabaseSession({
    ...{ database, keyRing: wrong, clock: systemClock, random: systemRandom, createId, retentionDays: () => 90 },
  });
  await expect(other.claim()).rejects.toMatchObject({ code: 'master_key_unusable' });
  await other.close();
  expect(await waiting()).toBe(1);
});

test.each([
  ['a hash of the tail was changed', `update holdfast.audit_state set tail = set_byte(tail, 5, 255 - get_byte(tail, 5))`],
  ['a tile is missing', `delete from holdfast.audit_nodes`],
  ['the end was cut off', `update holdfast.audit_state set size = 256, tail = '', root = (select root from holdfast.audit_nodes)`],
])('a log is not continued when %s', async (_, damage) => {
  await append(
    database,
    Array.from({ length: 300 }, () => auditEvent()),
  );
  await sequenceAll(database);
  const before = await readLog(postgres);
  await postgres.asSuperuser(damage);
  await append(database, [auditEvent()]);
  const clock = createFakeClock();
  const sequencer = createSequencer(database, { clock });
  const end = ending();
  sequencer.start();
  expect(await end).toMatchObject({ reason: 'failed', error: { code: 'audit_log_damaged' } });
  expect(sequencer.state.damaged).toBe(true);
  await sequencer.stop();
  expect(await readLog(postgres)).toEqual(before);
  expect(await waiting()).toBe(1);
});

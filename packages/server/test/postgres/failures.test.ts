import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '@holdfast/kit/time';
import {
  connectionLost,
  mapDatabaseError,
  migrateDatabase,
  minConnections,
  openDatabase,
  type ConnectionLost,
} from '../../src/platform/postgres/index.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
let proxy: DatabaseProxy;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  proxy = await startDatabaseProxy(postgres.target);
  return () => proxy.stop();
});

const unavailable = { code: 'database_unavailable' };

test('a database that cannot be reached is database_unavailable, at the start and for migrations', async () => {
  proxy.cut();
  await expect(openDatabase({ target: proxy.target, maxConnections: 20, clock: systemClock })).rejects.toMatchObject(unavailable);
  await expect(migrateDatabase({ target: proxy.target, clock: systemClock })).rejects.toMatchObject(unavailable);
  const nobodyListens = { kind: 'url', url: 'postgres://holdfast@127.0.0.1:1/holdfast' } as const;
  await expect(openDatabase({ target: nobodyListens, maxConnections: 20, clock: systemClock })).rejects.toMatchObject(unavailable);
});

test('a database that accepts connections and stays silent is given up at the connect limit', async () => {
  proxy.freeze();
  const opening = openDatabase({ target: proxy.target, maxConnections: 20, clock: systemClock, timeouts: { connectTimeoutMs: 150 } });
  await expect(opening).rejects.toMatchObject(unavailable);
});

test("a wrong password or a database that is not there is the server's trouble, not the caller's", async () => {
  const target = postgres.targetAs({ name: 'nobody_of_that_name', password: 'p' });
  await expect(openDatabase({ target, maxConnections: 20, clock: systemClock })).rejects.toMatchObject(unavailable);
});

test('a ping of a database that hangs ends when it is told to, and holds no connection after that', async () => {
  const database = await postgres.open({ target: proxy.target });
  await database.ping();
  proxy.freeze();
  const [ending, before] = [new AbortController(), new AbortController()];
  const pings = Array.from({ length: 5 }, () => database.ping(ending.signal));
  const all = Promise.allSettled(pings);
  await expect.poll(() => database.poolStates().find(({ role }) => role === 'app')!.idle).toBe(0);
  ending.abort();
  // Those that wait for a connection learn of it when they have one.
  expect((await Promise.race(pings.map((ping) => ping.catch((error: Error) => error)))) instanceof Error).toBe(true);
  proxy.restore();
  await all;
  before.abort();
  await expect(database.ping(before.signal)).rejects.toThrow('abort');
  await database.ping(new AbortController().signal);
  expect(database.poolStates().find(({ role }) => role === 'app')).toMatchObject({ waiting: 0 });
});

describe('the network is cut', () => {
  test('queries under way and new ones fail as database_unavailable, and it goes on by itself when it is back', async () => {
    const database = await postgres.open({ target: proxy.target });
    await database.ping();
    const underWay = expect(sql`select pg_sleep(10)`.execute(database.query('app'))).rejects.toMatchObject(unavailable);
    const inTransaction = database.asOperator(async (transaction) => {
      await sql`select 1`.execute(transaction);
      proxy.cut();
      await sql`select 2`.execute(transaction);
    });
    await expect(inTransaction).rejects.toMatchObject(unavailable);
    await underWay;
    await expect(database.ping()).rejects.toMatchObject(unavailable);
    proxy.restore();
    await database.ping();
    await database.asOperator((transaction) => sql`select 1`.execute(transaction));
  });

  test('the loss of an idle connection is announced and ends nothing', async () => {
    const database = await postgres.open({ target: proxy.target });
    await database.ping();
    const lost = Promise.withResolvers<ConnectionLost>();
    const unsubscribe = connectionLost.subscribe(lost.resolve);
    proxy.cut();
    expect(await lost.promise).toMatchObject({ role: 'app' });
    unsubscribe();
    proxy.restore();
    await database.ping();
  });

  test('the errors of a raw pool mean the same once they are mapped', async () => {
    const database = await postgres.open({ target: proxy.target });
    const client = await database.pool('writer').connect();
    const running = client.query('select pg_sleep(10)').catch((error: unknown) => error);
    proxy.cut();
    expect(mapDatabaseError(await running)).toMatchObject(unavailable);
    client.release(true);
    expect(
      mapDatabaseError(
        await database
          .pool('writer')
          .query('select 1')
          .catch((error: unknown) => error),
      ),
    ).toMatchObject(unavailable);
  });
});

test('a connection that falls silent is given up and never used again', async () => {
  // 5 seconds on top of the limit of the statement, for the server to cancel it first: here it never hears of it.
  const database = await postgres.open({
    target: proxy.target,
    maxConnections: minConnections,
    timeouts: { statementTimeoutMs: 100, connectTimeoutMs: 1_000 },
  });
  await database.ping();
  const before = proxy.connections;
  proxy.freeze();
  const silent = database.ping();
  proxy.restore(); // new connections work; the silent one stays silent
  await expect(silent).rejects.toMatchObject({ ...unavailable, message: 'Query read timeout' });
  await database.ping();
  expect(proxy.connections).toBe(before + 1);
});

describe('the server', () => {
  test('cancels a statement at its limit', async () => {
    const database = await postgres.open({ timeouts: { statementTimeoutMs: 50 } });
    await expect(sql`select pg_sleep(10)`.execute(database.query('app'))).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('57014'),
    });
    await database.ping();
  });

  test('gives up on a lock at its limit', async () => {
    const database = await postgres.open({ maxConnections: 60, timeouts: { lockTimeoutMs: 50 } });
    const id = randomUUID();
    const insert = { id, name: 'O', slug: id, logo: null, metadata: null };
    await database.asOperator((transaction) => transaction.insertInto('identity.organization').values(insert).execute());
    await database.asOperator(async (first) => {
      await first.updateTable('identity.organization').set({ name: 'first' }).where('id', '=', id).execute();
      const second = database.asOperator((transaction) =>
        transaction.updateTable('identity.organization').set({ name: 'second' }).where('id', '=', id).execute(),
      );
      await expect(second).rejects.toMatchObject({ ...unavailable, message: expect.stringContaining('55P03') });
    });
  });

  test('breaks a deadlock; the loser may try again', async () => {
    const database = await postgres.open({ maxConnections: 60 });
    const ids = [randomUUID(), randomUUID()].sort();
    await database.asOperator((transaction) =>
      transaction
        .insertInto('identity.organization')
        .values(ids.map((id) => ({ id, name: 'O', slug: id, logo: null, metadata: null })))
        .execute(),
    );
    const bothHold = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const cross = (mine: 0 | 1) =>
      database.asOperator(async (transaction) => {
        const touch = (id: string) => transaction.updateTable('identity.organization').set({ name: 'x' }).where('id', '=', id).execute();
        await touch(ids[mine]!);
        bothHold[mine].resolve();
        await bothHold[(1 - mine) as 0 | 1].promise;
        await touch(ids[1 - mine]!);
      });
    const outcomes = await Promise.allSettled([cross(0), cross(1)]);
    const rejected = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(rejected).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ ...unavailable, message: expect.stringContaining('40P01') }) },
    ]);
  });

  test('is shut down by its administrator: queries fail as database_unavailable, and the pool recovers', async () => {
    const database = await postgres.open();
    await database.ping();
    const running = sql`select pg_sleep(10)`.execute(database.query('jobs'));
    await expect
      .poll(() => postgres.asSuperuser(`select 1 from pg_stat_activity where application_name = 'holdfast jobs' and state = 'active'`))
      .toHaveLength(1);
    const failed = expect(running).rejects.toMatchObject(unavailable);
    await postgres.asSuperuser(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'holdfast %' and datname = current_database()`,
    );
    await failed;
    await expect
      .poll(() =>
        database.ping().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });
});

test('a close cuts off what does not end by itself', async () => {
  // The clock of the database runs ahead, so that the grace period is over at once.
  const hasty = { ...systemClock, setTimeout: (callback: () => void, delayMs: number) => systemClock.setTimeout(callback, delayMs / 100) };
  const database = await postgres.open({ clock: hasty });
  const running = sql`select pg_sleep(20)`.execute(database.query('sequencer'));
  const failed = expect(running).rejects.toMatchObject(unavailable);
  await expect
    .poll(() => postgres.asSuperuser(`select 1 from pg_stat_activity where application_name = 'holdfast sequencer' and state = 'active'`))
    .toHaveLength(1);
  await database.close();
  await failed;
});

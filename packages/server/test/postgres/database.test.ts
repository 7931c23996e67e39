import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  databaseQueryCompleted,
  minConnections,
  poolExhausted,
  querySlow,
  type DatabaseQueryCompleted,
  type QuerySlow,
} from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const insertOrganization = (id: string) => ({ id, name: 'O', slug: id, logo: null, metadata: null });

test('connections are made with the first use, as their role, and never beyond the share of the pool', async () => {
  const database = await postgres.open({ maxConnections: 12 });
  expect(database.poolStates()).toEqual([]);
  await Promise.all(Array.from({ length: 30 }, () => database.ping()));
  const [state] = database.poolStates();
  expect(state).toMatchObject({ role: 'app', waiting: 0 });
  expect(state!.open).toBeLessThanOrEqual(state!.maxConnections);
  expect(state!.idle).toBe(state!.open);
  const names = await postgres.asSuperuser(
    'select distinct application_name as name from pg_stat_activity where application_name like $1',
    ['holdfast app'],
  );
  expect(names).toEqual([{ name: 'holdfast app' }]);
});

test('a transaction is committed when its work resolves and rolled back when it throws', async () => {
  const database = await postgres.open();
  const [kept, dropped] = [randomUUID(), randomUUID()];
  await database.asOperator((transaction) => transaction.insertInto('identity.organization').values(insertOrganization(kept)).execute());
  const failure = new Error('planned');
  const failed = database.asOperator(async (transaction) => {
    await transaction.insertInto('identity.organization').values(insertOrganization(dropped)).execute();
    throw failure;
  });
  await expect(failed).rejects.toBe(failure);
  const rows = await database
    .query('operator')
    .selectFrom('identity.organization')
    .select('id')
    .where('id', 'in', [kept, dropped])
    .execute();
  expect(rows).toEqual([{ id: kept }]);
});

test('a transaction whose statement failed is not taken for committed when the failure was swallowed', async () => {
  const database = await postgres.open();
  const id = randomUUID();
  const swallowed = database.asOperator(async (transaction) => {
    await transaction.insertInto('identity.organization').values(insertOrganization(id)).execute();
    await sql`select 1 / 0`.execute(transaction).catch(() => {});
  });
  await expect(swallowed).rejects.toThrow();
  expect(await postgres.asSuperuser('select 1 from identity.organization where id = $1', [id])).toEqual([]);
});

describe('a pool whose connections are all busy', () => {
  test('refuses after the limit with database_unavailable and says so, and serves again afterwards', async () => {
    const database = await postgres.open({ maxConnections: minConnections, timeouts: { connectTimeoutMs: 100 } });
    const announced: unknown[] = [];
    const unsubscribe = poolExhausted.subscribe((message) => announced.push(message));
    const held = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const holder = database.withOrganization(randomUUID(), async () => {
      holding.resolve();
      await held.promise;
    });
    await holding.promise;
    await expect(database.ping()).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('all 1 connections of the pool "app" are busy'),
    });
    expect(announced).toEqual([{ role: 'app', maxConnections: 1, waiting: 0 }]);
    held.resolve();
    await holder;
    await database.ping();
    unsubscribe();
  });

  test('refuses at once when too many wait already, instead of letting them pile up', async () => {
    const database = await postgres.open({ maxConnections: minConnections, timeouts: { connectTimeoutMs: 10_000 } });
    const client = await database.pool('app').connect();
    const waiting = Array.from({ length: 60 }, () => database.ping());
    const settled = Promise.allSettled(waiting);
    // The first fifty wait; those beyond are refused while the connection is still held.
    await expect(waiting.at(-1)).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('too many are waiting'),
    });
    client.release();
    const outcomes = (await settled).map(({ status }) => status);
    expect(outcomes.slice(0, 50)).toEqual(Array(50).fill('fulfilled'));
    expect(outcomes.slice(50)).toEqual(Array(10).fill('rejected'));
  });
});

describe('announced', () => {
  test('is each statement with what it does, and a slow one with its text but without its values', async () => {
    const database = await postgres.open({ slowQueryMs: 50 });
    const completed: DatabaseQueryCompleted[] = [];
    const slow: QuerySlow[] = [];
    const unsubscribe = [
      databaseQueryCompleted.subscribe((message) => completed.push(message)),
      querySlow.subscribe((message) => slow.push(message)),
    ];
    await sql`select 1`.execute(database.query('jobs'));
    await sql`select pg_sleep(0.06), ${'secret'}::text`.execute(database.query('jobs'));
    await expect(sql`select 1 / 0`.execute(database.query('jobs'))).rejects.toThrow();
    await database.asOperator((transaction) => transaction.selectFrom('identity.organization').select('id').execute());
    for (const end of unsubscribe) end();
    expect(completed.map(({ role, operation, table, outcome, errorCode }) => [role, operation, table, outcome, errorCode])).toEqual([
      ['jobs', 'select', undefined, 'completed', undefined],
      ['jobs', 'select', undefined, 'completed', undefined],
      ['jobs', 'select', undefined, 'failed', '22012'],
      ['operator', 'begin', undefined, 'completed', undefined],
      ['operator', 'select', 'organization', 'completed', undefined],
      ['operator', 'commit', undefined, 'completed', undefined],
    ]);
    expect(completed[1]!.durationMs).toBeGreaterThan(50);
    // On a busy machine any statement may be slow: what counts is that this one is told, and how.
    expect(slow).toContainEqual({ role: 'jobs', durationMs: expect.any(Number), statement: 'select pg_sleep(0.06), $1::text' });
    expect(JSON.stringify([slow, completed])).not.toContain('secret');
  });
});

describe('close', () => {
  test('waits for what is under way', async () => {
    const database = await postgres.open();
    const running = sql`select pg_sleep(0.1)`.execute(database.query('app'));
    await database.query('app').executeQuery(sql`select 1`.compile(database.query('app'))); // `running` has its connection by now
    await database.close();
    await running;
  });

  test('may be called twice, and what comes afterwards is database_unavailable', async () => {
    const fresh = await postgres.createDatabase();
    const database = await fresh.open();
    await database.ping();
    await Promise.all([database.close(), database.close()]);
    await expect(database.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(database.asOperator(() => Promise.resolve())).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect
      .poll(() =>
        fresh.asSuperuser(`select 1 from pg_stat_activity where application_name like 'holdfast %' and datname = current_database()`),
      )
      .toEqual([]);
  });
});

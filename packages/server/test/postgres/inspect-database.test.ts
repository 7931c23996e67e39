import pg from 'pg';
import { systemClock } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { inspectDatabase } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const inspect = () => inspectDatabase({ target: postgres.target, clock: systemClock });

async function session(): Promise<pg.Client> {
  if (postgres.target.kind !== 'url') throw new Error('the test database has a URL');
  const client = new pg.Client({ connectionString: postgres.target.url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

test('the login of Holdfast gets an answer to every question, and nothing of a fresh database is at fault', async () => {
  const facts = await inspect();
  expect(facts).toMatchObject({
    version: expect.stringMatching(/^1\d(\.|$)/),
    inRecovery: false,
    lockWaits: { waiting: 0, longestMs: 0 },
    bloated: [],
    scanned: [],
    foreignKeysWithoutIndex: [],
    invalidIndexes: [],
    standbys: [],
    unanswered: [],
  });
  expect(Math.abs(facts.clockSkewMs)).toBeLessThan(5_000);
  expect(facts.maxConnections).toBeGreaterThan(10);
  expect(facts.usedConnections).toBeGreaterThan(0);
  expect(facts.transactionAge).toBeGreaterThan(0);
  expect(facts.databaseBytes).toBeGreaterThan(1_000_000);
});

test('sees who waits for a lock, and the transaction that holds it', async () => {
  const [holder, waiter] = [await session(), await session()];
  await holder.query('begin; lock table holdfast.settings in access exclusive mode');
  const waiting = waiter.query(
    'set role holdfast_jobs; select count(*) from holdfast.instances; reset role; lock table holdfast.settings in share mode',
  );
  await expect.poll(async () => (await inspect()).lockWaits?.waiting).toBe(1);
  const { transactions } = await inspect();
  expect(transactions).toMatchObject({ open: 2 });
  expect(transactions!.longestIdleMs).toBeGreaterThan(0);
  await holder.query('rollback');
  await waiting;
});

test('finds foreign keys that lead no index, and indexes that were not built to their end', async () => {
  await postgres.asSuperuser(`
    create table public.parent (a int, b int, primary key (a, b));
    create table public.child (b int, a int, c int, constraint child_parent foreign key (a, b) references public.parent (a, b));
    create table public.indexed (a int, b int, c int, constraint indexed_parent foreign key (a, b) references public.parent (a, b));
    create index on public.indexed (b, a, c);
    insert into public.parent values (1, 1);
    insert into public.child select 1, 1, n from generate_series(1, 20000) n;
    insert into public.indexed select 1, 1, n from generate_series(1, 20000) n;
    analyze public.child, public.indexed`);
  await expect(postgres.asSuperuser('create unique index concurrently broken on public.child (a)')).rejects.toThrow();
  const facts = await inspect();
  expect(facts.foreignKeysWithoutIndex).toEqual([{ table: 'public.child', constraint: 'child_parent' }]);
  expect(facts.invalidIndexes).toEqual(['public.broken']);
  await postgres.asSuperuser('drop table public.child, public.indexed, public.parent');
});

test('a question that takes too long is given up, and costs none of the others', async () => {
  await postgres.asSuperuser('begin; lock table pg_catalog.pg_constraint in access exclusive mode');
  const facts = await inspectDatabase({ target: postgres.target, clock: systemClock, statementTimeoutMs: 200 }).finally(() =>
    postgres.asSuperuser('rollback'),
  );
  // PostgreSQL looks there to plan what reads its views, too.
  expect(facts.unanswered).toContainEqual({ question: 'foreign keys', reason: 'took too long' });
  expect([facts.foreignKeysWithoutIndex, facts.usedConnections !== undefined]).toEqual([undefined, true]);
  expect(facts.databaseBytes).toBeGreaterThan(0);
});

test('one that cannot be reached is said so', async () => {
  const target = { kind: 'url', url: 'postgres://a:secret@127.0.0.1:1/x' } as const;
  await expect(inspectDatabase({ target, clock: systemClock })).rejects.toMatchObject({ code: 'database_unavailable' });
});

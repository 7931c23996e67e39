import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database, DatabaseRole } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

const organization = randomUUID();
const key = randomUUID();
let postgres: TestDatabase;
let database: Database;

beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  await database.asOperator(async (transaction) => {
    await transaction
      .insertInto('identity.organization')
      .values({ id: organization, name: 'O', slug: 'o', logo: null, metadata: null })
      .execute();
    await transaction
      .insertInto('holdfast.api_keys')
      .values({
        id: key,
        organization_id: organization,
        name: 'k',
        prefix: 'hf_abc',
        hash: Buffer.from('h'),
        hash_key_version: 1,
        scopes: ['inference'],
      })
      .execute();
  });
});
afterAll(() => postgres.stop());

const call = (id: string) =>
  ({ id, organization_id: organization, usage_source: 'none', outcome: 'completed', started_at: new Date() }) as const;
const intent = (id: string) => ({ id, organization_id: organization, started_at: new Date() });
const refused = (role: DatabaseRole, statement: string) =>
  expect(database.pool(role).query(statement)).rejects.toMatchObject({ code: '42501' });

describe('writer', () => {
  test('a call that is written twice is stored once', async () => {
    const id = randomUUID();
    const write = () =>
      database
        .query('writer')
        .insertInto('holdfast.calls')
        .values(call(id))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst();
    expect((await write()).numInsertedOrUpdatedRows).toBe(1n);
    expect((await write()).numInsertedOrUpdatedRows).toBe(0n);
    expect(await postgres.asSuperuser('select count(*)::int as n from holdfast.calls where id = $1', [id])).toEqual([{ n: 1 }]);
  });

  test('writes calls and intents in one statement, over all organizations', async () => {
    const ids = [randomUUID(), randomUUID()];
    await database.pool('writer').query(
      `with intents as (
         insert into holdfast.call_intents (id, organization_id, started_at) select id, gen_random_uuid(), now() from unnest($1::uuid[]) id on conflict (id) do nothing)
       insert into holdfast.calls (id, organization_id, usage_source, outcome, started_at)
         select id, gen_random_uuid(), 'none', 'completed', now() from unnest($1::uuid[]) id on conflict (id) do nothing`,
      [ids],
    );
    const stored = await postgres.asSuperuser(
      'select count(*)::int as n from holdfast.calls c join holdfast.call_intents i using (id) where id = any($1)',
      [ids],
    );
    expect(stored).toEqual([{ n: 2 }]);
  });

  test('says that its instance is alive', async () => {
    const id = randomUUID();
    for (const seen of ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:10.000Z']) {
      await database
        .query('writer')
        .insertInto('holdfast.instances')
        .values({ id, started_at: seen, seen_at: seen })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: seen }))
        .execute();
    }
    expect(await postgres.asSuperuser('select seen_at from holdfast.instances where id = $1', [id])).toEqual([
      { seen_at: new Date('2026-01-01T00:00:10.000Z') },
    ]);
  });

  test.each([
    'select cost_nano_usd from holdfast.calls',
    'select * from holdfast.call_intents',
    `update holdfast.calls set outcome = 'failed'`,
    'delete from holdfast.calls',
    'delete from holdfast.call_intents',
    'truncate holdfast.calls',
    'select 1 from holdfast.api_keys',
    'select 1 from identity.organization',
  ])('may not: %s', (statement) => refused('writer', statement));
});

describe('authenticator', () => {
  test('finds a key by its hash before the organization is known', async () => {
    const found = await database
      .query('authenticator')
      .selectFrom('holdfast.api_keys')
      .select(['id', 'organization_id', 'user_id', 'scopes', 'allowed_models', 'expires_at', 'revoked_at'])
      .where('hash', '=', Buffer.from('h'))
      .execute();
    expect(found).toEqual([
      {
        id: key,
        organization_id: organization,
        user_id: null,
        scopes: ['inference'],
        allowed_models: null,
        expires_at: null,
        revoked_at: null,
      },
    ]);
  });

  test.each([
    'select name from holdfast.api_keys',
    'select * from holdfast.api_keys',
    'update holdfast.api_keys set revoked_at = null',
    'insert into holdfast.api_keys default values',
    'delete from holdfast.api_keys',
    'select 1 from holdfast.calls',
    'select 1 from holdfast.settings',
    'select 1 from identity."user"',
  ])('may not: %s', (statement) => refused('authenticator', statement));
});

describe('jobs', () => {
  test('settles the intents of a dead instance: reads them, writes the calls, removes the intents', async () => {
    const [settled, open] = [randomUUID(), randomUUID()];
    await database
      .query('writer')
      .insertInto('holdfast.call_intents')
      .values([intent(settled), intent(open)])
      .execute();
    await database.query('writer').insertInto('holdfast.calls').values(call(settled)).execute();
    const unsettled = await database
      .query('jobs')
      .selectFrom('holdfast.call_intents as intent')
      .selectAll()
      .where('intent.id', 'in', [settled, open])
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('holdfast.calls as call').select('call.id').whereRef('call.id', '=', 'intent.id'))),
      )
      .execute();
    expect(unsettled.map((row) => row.id)).toEqual([open]);
    await database
      .query('jobs')
      .transaction()
      .execute(async (transaction) => {
        await transaction
          .insertInto('holdfast.calls')
          .values({ ...call(open), outcome: 'interrupted' })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
        await transaction.deleteFrom('holdfast.call_intents').where('id', 'in', [settled, open]).execute();
      });
    expect(await postgres.asSuperuser('select outcome from holdfast.calls where id = $1', [open])).toEqual([{ outcome: 'interrupted' }]);
    expect(await postgres.asSuperuser('select 1 from holdfast.call_intents where id = any($1)', [[settled, open]])).toEqual([]);
  });

  test('removes no call but one that was settled as interrupted', async () => {
    const [completed, interrupted] = [randomUUID(), randomUUID()];
    await database.query('writer').insertInto('holdfast.calls').values(call(completed)).execute();
    await database
      .query('jobs')
      .insertInto('holdfast.calls')
      .values({ ...call(interrupted), outcome: 'interrupted' })
      .execute();
    await database.pool('jobs').query('delete from holdfast.calls');
    const left = await postgres.asSuperuser('select id from holdfast.calls where id = any($1)', [[completed, interrupted]]);
    expect(left).toEqual([{ id: completed }]);
  });

  test.each([
    'select request_id from holdfast.calls',
    `update holdfast.calls set outcome = 'failed'`,
    'select hash from holdfast.api_keys',
    'update holdfast.api_keys set revoked_at = now()',
    'select 1 from identity."user"',
  ])('may not: %s', (statement) => refused('jobs', statement));
});

test.each(['app', 'operator', 'writer', 'authenticator', 'jobs', 'sequencer'] as const)(
  '%s sees no session, password or token of a person',
  async (role) => {
    for (const table of ['"user"', 'session', 'account', 'verification']) await refused(role, `select 1 from identity.${table}`);
  },
);

test('a bigint beyond 2^53 fails the query rather than being rounded', async () => {
  const read = (value: string) => sql<{ value: number }>`select ${value}::bigint as value`.execute(database.query('app'));
  expect((await read('9007199254740991')).rows).toEqual([{ value: Number.MAX_SAFE_INTEGER }]);
  await expect(read('9007199254740993')).rejects.toMatchObject({ code: 'internal_error' });
});

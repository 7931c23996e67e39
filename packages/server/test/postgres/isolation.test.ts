import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { minConnections, type Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let own: string;
let foreign: string;
let ownKey: string;
let foreignKey: string;

let postgres: TestDatabase;
let database: Database;

beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

beforeEach(async () => {
  [own, foreign, ownKey, foreignKey] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  // One connection for `app`: every transaction of a test meets what the last one left on it.
  database = await postgres.open({ maxConnections: minConnections });
  for (const [organization, key] of [
    [own, ownKey],
    [foreign, foreignKey],
  ] as const) {
    await database.asOperator(async (transaction) => {
      await transaction
        .insertInto('identity.organization')
        .values({ id: organization, name: 'O', slug: organization, logo: null, metadata: null })
        .execute();
      await transaction.insertInto('holdfast.api_keys').values(keyRow(organization, key)).execute();
    });
    const user = randomUUID();
    await database
      .query('identity')
      .insertInto('identity.user')
      .values({ id: user, name: 'U', email: `${user}@example.org` })
      .execute();
    await database
      .query('identity')
      .insertInto('identity.member')
      .values({ id: randomUUID(), organizationId: organization, userId: user })
      .execute();
    await database
      .query('writer')
      .insertInto('holdfast.calls')
      .values({ id: randomUUID(), organization_id: organization, usage_source: 'none', outcome: 'completed', started_at: new Date() })
      .execute();
  }
  return () => database.close();
});

function keyRow(organizationId: string, id: string = randomUUID()) {
  return {
    id,
    organization_id: organizationId,
    name: 'k',
    prefix: 'hf_abc',
    hash: Buffer.from(id),
    hash_key_version: 1,
    scopes: ['inference'],
  };
}

/** Every table that `app` may read, with the column that names the organization. */
const readable = [
  { table: 'identity.organization', column: 'id' },
  { table: 'identity.member', column: 'organizationId' },
  { table: 'holdfast.api_keys', column: 'organization_id' },
  { table: 'holdfast.calls', column: 'organization_id' },
] as const;

const organizationsIn = async (
  table: string,
  column: string,
  run: (statement: ReturnType<typeof sql<{ organization: string }>>) => Promise<{ rows: { organization: string }[] }>,
) =>
  (await run(sql<{ organization: string }>`select distinct ${sql.ref(column)} as organization from ${sql.table(table)}`)).rows.map(
    (row) => row.organization,
  );

describe.each(readable)('$table, read as app', ({ table, column }) => {
  test('without a WHERE only the rows of the organization are there', async () => {
    const seen = await database.withOrganization(own, (transaction) =>
      organizationsIn(table, column, (statement) => statement.execute(transaction)),
    );
    expect(seen).toEqual([own]);
  });

  test('asked for by its id, a foreign row is not there', async () => {
    const seen = await database.withOrganization(own, (transaction) =>
      sql`select 1 from ${sql.table(table)} where ${sql.ref(column)} = ${foreign}`.execute(transaction),
    );
    expect(seen.rows).toEqual([]);
  });

  test('before and after a transaction of an organization nothing is there, on the same connection', async () => {
    const outside = () => organizationsIn(table, column, (statement) => statement.execute(database.query('app')));
    expect(await outside()).toEqual([]);
    await database.withOrganization(own, (transaction) => sql`select 1`.execute(transaction));
    const left = await database
      .pool('app')
      .query(`select current_setting('holdfast.organization_id', true) as setting, pg_backend_pid() as pid`);
    expect(left.rows[0].setting).toBe('');
    expect(await outside()).toEqual([]);
    expect(database.pool('app').totalCount).toBe(1);
  });

  test('a transaction that failed leaves nothing to the next one on its connection', async () => {
    const failure = new Error('planned');
    await expect(database.withOrganization(foreign, () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(database.withOrganization(foreign, (transaction) => sql`select 1 / 0`.execute(transaction))).rejects.toMatchObject({
      code: '22012',
    });
    expect(await organizationsIn(table, column, (statement) => statement.execute(database.query('app')))).toEqual([]);
    const seen = await database.withOrganization(own, (transaction) =>
      organizationsIn(table, column, (statement) => statement.execute(transaction)),
    );
    expect(seen).toEqual([own]);
  });
});

describe('written as app', () => {
  test('an UPDATE without a WHERE changes no foreign row', async () => {
    const updated = await database.withOrganization(own, (transaction) =>
      transaction.updateTable('holdfast.api_keys').set({ revoked_at: new Date() }).executeTakeFirst(),
    );
    expect(updated.numUpdatedRows).toBe(1n);
    const revoked = await database
      .query('operator')
      .selectFrom('holdfast.api_keys')
      .select('id')
      .where('organization_id', 'in', [own, foreign])
      .where('revoked_at', 'is not', null)
      .execute();
    expect(revoked).toEqual([{ id: ownKey }]);
  });

  test('an UPDATE of a foreign row by its id finds none', async () => {
    const updated = await database.withOrganization(own, (transaction) =>
      transaction.updateTable('holdfast.api_keys').set({ name: 'taken' }).where('id', '=', foreignKey).executeTakeFirst(),
    );
    expect(updated.numUpdatedRows).toBe(0n);
  });

  test('a row cannot be given to another organization', async () => {
    const give = database.withOrganization(own, (transaction) =>
      transaction.updateTable('holdfast.api_keys').set({ organization_id: foreign }).where('id', '=', ownKey).execute(),
    );
    await expect(give).rejects.toMatchObject({ code: '42501' });
  });

  test('a key of another organization cannot be inserted', async () => {
    const insert = database.withOrganization(own, (transaction) =>
      transaction.insertInto('holdfast.api_keys').values(keyRow(foreign)).execute(),
    );
    await expect(insert).rejects.toMatchObject({ code: '42501' });
  });

  test('without an organization nothing can be inserted', async () => {
    await expect(database.query('app').insertInto('holdfast.api_keys').values(keyRow(own)).execute()).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('a key of the own organization can be inserted, but cannot point at one of another', async () => {
    const added = randomUUID();
    await database.withOrganization(own, (transaction) => transaction.insertInto('holdfast.api_keys').values(keyRow(own, added)).execute());
    const point = (target: string) =>
      database.withOrganization(own, (transaction) =>
        transaction.updateTable('holdfast.api_keys').set({ replaced_by: target }).where('id', '=', ownKey).executeTakeFirst(),
      );
    expect((await point(added)).numUpdatedRows).toBe(1n);
    await expect(point(foreignKey)).rejects.toMatchObject({ code: '23503' });
  });

  test.each(['holdfast.api_keys', 'holdfast.calls', 'identity.organization', 'identity.member'])(
    'nothing of %s can be deleted',
    async (table) => {
      const remove = database.withOrganization(own, (transaction) => sql`delete from ${sql.table(table)}`.execute(transaction));
      await expect(remove).rejects.toMatchObject({ code: '42501' });
    },
  );
});

describe('the role of a connection', () => {
  test('RESET ROLE, RESET ALL and DISCARD ALL lead back to the role, not to the login', async () => {
    const client = await database.pool('app').connect();
    try {
      for (const statement of ['reset role', 'reset all', 'discard all']) {
        await client.query(statement);
        expect((await client.query('select current_user as role')).rows).toEqual([{ role: 'holdfast_app' }]);
      }
    } finally {
      client.release();
    }
  });

  test('the login that owns the tables sees no row of them either', async () => {
    const client = await database.pool('app').connect();
    try {
      await client.query('set role none');
      for (const { table } of readable) expect((await client.query(`select 1 from ${table}`)).rows).toEqual([]);
    } finally {
      client.release(true);
    }
  });

  test('an organization id that is not a UUID is refused before it reaches the database', async () => {
    await expect(database.withOrganization(`${own}' or true`, () => Promise.resolve())).rejects.toMatchObject({ code: 'internal_error' });
  });
});

test('many transactions of two organizations at once never see each other', async () => {
  const shared = await postgres.open({ maxConnections: minConnections + 4 });
  const step = fc.record({
    organization: fc.constantFrom(own, foreign, undefined),
    fails: fc.boolean(),
    queries: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      await Promise.all(
        steps.map(async ({ organization, fails, queries }) => {
          const look = (on: typeof shared extends { query(role: 'app'): infer K } ? K : never) =>
            organizationsIn('holdfast.api_keys', 'organization_id', (statement) => statement.execute(on));
          if (organization === undefined) return expect(await look(shared.query('app'))).toEqual([]);
          const work = shared.withOrganization(organization, async (transaction) => {
            for (let query = 0; query < queries; query++) expect(await look(transaction)).toEqual([organization]);
            if (fails) throw new Error('planned');
          });
          await (fails ? expect(work).rejects.toThrow('planned') : work);
        }),
      );
    }),
    { numRuns: 40 },
  );
});

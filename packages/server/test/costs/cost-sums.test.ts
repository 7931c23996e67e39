import { costQuery, type CostRow } from '@holdfast/contracts';
import { isHoldfastError } from '@holdfast/kit/errors';
import { createSeededRandom } from '@holdfast/kit/testing';
import { systemClock } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCostService, createCostSums } from '../../src/features/costs/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newId } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const own = newId();
const foreign = newId();
const keys = [newId(), newId()];
const seeded = createSeededRandom(5);
const random = () => seeded.next();
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;

interface Scene {
  readonly database: TestDatabase;
  readonly opened: Database;
  readonly insert: (count: number, connection?: (text: string, values: readonly unknown[]) => Promise<unknown>) => Promise<void>;
  readonly read: (query?: Record<string, string>, organizationId?: string) => Promise<readonly CostRow[]>;
  readonly add: () => Promise<boolean>;
}

async function setUp(): Promise<Scene> {
  const database = await postgres.createDatabase();
  const opened = await database.open();
  const service = createCostService(opened);
  const sums = createCostSums({ database: opened, clock: systemClock });
  return {
    database,
    opened,
    add: sums.add,
    async insert(count, run = (text, values) => database.asSuperuser(text, values)) {
      for (let at = 0; at < count; at++) {
        const outcome = pick(['completed', 'completed', 'failed', 'interrupted']);
        await run(
          `insert into holdfast.calls (id, organization_id, key_id, model_asked, model_served, provider, feature, end_user, prompt_tokens, completion_tokens,
             usage_source, cost_nano_usd, outcome, started_at)
           values ($1, $2, $3, $4, $5, 'primary', $6, $7, $8, $9, 'provider', $10, $11, $12)`,
          [
            ...[newId(), pick([own, own, foreign]), pick([...keys, null]), pick(['fast', 'Slow', 'ältere']), pick(['m-1', 'm-2', null])],
            ...[pick(['chat', null]), pick(['a', 'b', null]), Math.floor(random() * 100), Math.floor(random() * 100)],
            ...[
              pick([null, 0, Math.floor(random() * 1e6)]),
              outcome,
              new Date(Date.UTC(2026, 10, 1 + Math.floor(random() * 4), 23, 59, 59, 999)),
            ],
          ],
        );
      }
    },
    async read(query = {}, organizationId = own) {
      const rows: CostRow[] = [];
      let cursor: string | undefined;
      do {
        const page = await service.ofOrganization(organizationId, costQuery.parse({ limit: '3', ...query, ...(cursor && { cursor }) }));
        expect(page.data.length).toBeLessThanOrEqual(3);
        rows.push(...page.data);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return rows;
    },
  };
}

/** What the ledger says, by a statement that knows nothing of sums. */
async function judge(
  { database }: Scene,
  organizationId = own,
): Promise<{ calls: string; cost: string; unpriced: string; tokens: string }> {
  const [row] = await database.asSuperuser<{ calls: string; cost: string; unpriced: string; tokens: string }>(
    `select count(*) as calls, coalesce(sum(coalesce(x.cost_nano_usd, case when x.call_id is null then c.cost_nano_usd end)), 0) as cost,
       count(*) filter (where case when x.call_id is null then c.cost_nano_usd else x.cost_nano_usd end is null) as unpriced,
       coalesce(sum(prompt_tokens + completion_tokens), 0) as tokens
     from holdfast.calls c left join lateral (
       select call_id, cost_nano_usd from holdfast.call_corrections where call_id = c.id order by number desc limit 1) x on true
     where organization_id = $1`,
    [organizationId],
  );
  return row!;
}

const total = (rows: readonly CostRow[]) => ({
  calls: String(rows.reduce((sum, row) => sum + row.calls, 0)),
  cost: String(rows.reduce((sum, row) => sum + row.cost_nano_usd!, 0)),
  unpriced: String(rows.reduce((sum, row) => sum + row.unpriced_calls, 0)),
  tokens: String(rows.reduce((sum, row) => sum + row.prompt_tokens + row.completion_tokens, 0)),
});

test('a report is what the ledger says at every moment: before sums were made, between, after, and beside a transaction that runs on', async () => {
  const scene = await setUp();
  const check = async () => expect(total(await scene.read({ group_by: 'day,model,key,feature' }))).toEqual(await judge(scene));
  await check();
  await scene.insert(30);
  await check();
  expect(await scene.add()).toBe(true);
  await check();
  const [state] = await scene.database.asSuperuser('select count(*)::int as rows, sum(calls)::int as calls from holdfast.cost_days');
  expect(state).toMatchObject({ calls: 30 });
  await scene.insert(10);
  await check();

  // Its row becomes visible after rows with a higher number: what is summed up has to wait for it, and then take it.
  const client = await scene.opened.pool('writer').connect();
  try {
    await client.query('begin');
    const late = async (text: string, values: readonly unknown[]) => client.query(text, values as unknown[]);
    await scene.insert(3, late);
    await scene.insert(5);
    await scene.add();
    await check();
    await client.query('commit');
    await check();
    await scene.add();
    await check();
  } finally {
    client.release();
  }
  await scene.add();
  await scene.add();
  await check();
  expect(total(await scene.read({ group_by: 'day' }, foreign))).toEqual(await judge(scene, foreign));
});

test('a correction changes the sums once, whenever it comes, and the row stays', async () => {
  const scene = await setUp();
  await scene.insert(20);
  await scene.add();
  const rows = await scene.database.asSuperuser<{ id: string; organization_id: string; cost_nano_usd: string | null }>(
    'select id, organization_id, cost_nano_usd from holdfast.calls',
  );
  const correct = (row: (typeof rows)[number], number: number, previous: string | null, cost: number | null) =>
    scene.database.asSuperuser(
      `insert into holdfast.call_corrections (call_id, number, organization_id, reason, source, previous_cost_nano_usd, cost_nano_usd)
       values ($1, $2, $3, 'repriced', 'test', $4, $5)`,
      [row.id, number, row.organization_id, previous, cost],
    );
  for (const row of rows.slice(0, 8)) await correct(row, 1, row.cost_nano_usd, pick([null, 7_000]));
  expect(total(await scene.read())).toEqual(await judge(scene));
  await scene.add();
  expect(total(await scene.read())).toEqual(await judge(scene));
  const last = await scene.database.asSuperuser<{ call_id: string; cost_nano_usd: string | null }>(
    'select * from holdfast.call_corrections limit 4',
  );
  for (const each of last)
    await correct(
      rows.find(({ id }) => id === each.call_id)!,
      2,
      each.cost_nano_usd,
      9_000,
    );
  expect(total(await scene.read())).toEqual(await judge(scene));
  await scene.add();
  await scene.add();
  expect(total(await scene.read())).toEqual(await judge(scene));
});

test('a row that gives way to a better one leaves the sums, whether it was in them or not, and whenever that is seen', async () => {
  const scene = await setUp();
  const check = async () => expect(total(await scene.read())).toEqual(await judge(scene));
  const replace = (run: (text: string) => Promise<unknown>) =>
    run(
      `with gone as (delete from holdfast.calls where id = (select id from holdfast.calls where outcome = 'interrupted' limit 1) returning *)
       insert into holdfast.calls (id, organization_id, model_asked, usage_source, cost_nano_usd, outcome, started_at)
       select gen_random_uuid(), organization_id, model_asked, 'provider', 777, 'completed', started_at from gone`,
    );
  const superuser = (text: string) => scene.database.asSuperuser(text);
  await scene.insert(40);
  await replace(superuser);
  await check();
  await scene.add();
  await check();
  await replace(superuser);
  await check();
  await scene.add();
  await check();
  // Removed and committed, while an older transaction keeps the sums from going so far.
  const client = await scene.opened.pool('writer').connect();
  try {
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    await scene.insert(20);
    await replace(superuser);
    await scene.add();
    await check();
    await client.query('commit');
  } finally {
    client.release();
  }
  await scene.add();
  await check();
  await scene.add();
  await check();
});

test('several instances that sum up at once count nothing twice', async () => {
  const scene = await setUp();
  await scene.insert(20);
  const others = await Promise.all([1, 2, 3].map(() => scene.database.open()));
  const added = await Promise.all([...others, scene.opened].map((database) => createCostSums({ database, clock: systemClock }).add()));
  expect(added.filter(Boolean).length).toBeGreaterThanOrEqual(1);
  await scene.add();
  expect(total(await scene.read())).toEqual(await judge(scene));
});

test('sums of another cluster are not believed: a restored dump is read from the ledger', async () => {
  const scene = await setUp();
  await scene.insert(10);
  await scene.add();
  await scene.database.asSuperuser('update holdfast.cost_state set cluster = 1, summed_to = 9000000000');
  await scene.database.asSuperuser('update holdfast.cost_days set cost_nano_usd = 1');
  expect(total(await scene.read())).toEqual(await judge(scene));
  expect(await scene.add()).toBe(false);
});

test('pages follow the order of the group, whatever is in its names, and nothing is left out or told twice', async () => {
  const scene = await setUp();
  await scene.insert(60);
  const rows = await scene.read({ group_by: 'model,feature,end_user', from: '2026-11-02', to: '2026-11-04' });
  const names = rows.map(({ model, feature, end_user }) => JSON.stringify([model, feature, end_user]));
  expect(new Set(names).size).toBe(names.length);
  expect(rows.map(({ model }) => model)).toEqual(rows.map(({ model }) => model!).toSorted());
  const features = rows.filter(({ model }) => model === 'fast').map(({ feature }) => feature);
  expect(features.indexOf(null)).toBeGreaterThan(features.indexOf('chat'));
  const [all] = await scene.database.asSuperuser<{ calls: string }>(
    `select count(*) as calls from holdfast.calls where organization_id = $1 and started_at >= '2026-11-02Z' and started_at < '2026-11-04Z'`,
    [own],
  );
  expect(total(rows).calls).toBe(all!.calls);
});

test('filters and groups say what they are asked, and an organization sees nothing of another', async () => {
  const scene = await setUp();
  await scene.insert(60);
  const only = await scene.read({ group_by: 'organization,key', key_id: keys[0]! });
  expect(only).toHaveLength(1);
  expect(only[0]).toMatchObject({ organization_id: own, key_id: keys[0] });
  const instance = await createCostService(scene.opened).ofInstance(costQuery.parse({ group_by: 'organization' }));
  expect(new Set(instance.data.map((row) => row.organization_id))).toEqual(new Set([own, foreign]));
  expect(total(await scene.read({ group_by: 'served_model' }, newId()))).toMatchObject({ calls: '0' });
});

test('what was only reserved for an interrupted call is told apart until it is corrected', async () => {
  const scene = await setUp();
  await scene.database.asSuperuser(
    `insert into holdfast.calls (id, organization_id, usage_source, cost_nano_usd, outcome, started_at) values ($1, $2, 'none', 5000, 'interrupted', now())`,
    [newId(), own],
  );
  expect(await scene.read()).toMatchObject([{ cost_nano_usd: 5_000, reserved_nano_usd: 5_000, interrupted_calls: 1 }]);
  await scene.database.asSuperuser(
    `insert into holdfast.call_corrections (call_id, number, organization_id, reason, source, previous_cost_nano_usd, cost_nano_usd, prompt_tokens)
     select id, 1, organization_id, 'reconciled', 'test', 5000, 1200, 40 from holdfast.calls`,
  );
  expect(await scene.read()).toMatchObject([{ cost_nano_usd: 1_200, reserved_nano_usd: 0, prompt_tokens: 40 }]);
});

test('a cursor of another list is refused', async () => {
  const scene = await setUp();
  await scene.insert(20);
  const service = createCostService(scene.opened);
  const { next_cursor } = await service.ofOrganization(own, costQuery.parse({ group_by: 'day', limit: '1' }));
  for (const cursor of [next_cursor!, 'nonsense', Buffer.from('[["model"],["a\\u0000"]]').toString('base64url')]) {
    const refused = service.ofOrganization(own, costQuery.parse({ group_by: 'model', cursor }));
    await expect(refused.catch((error: unknown) => isHoldfastError(error) && error.code)).resolves.toBe('invalid_request');
  }
});

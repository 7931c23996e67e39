import { Kysely, PostgresDialect, type CompiledQuery } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { maxReadCalls, readCalls, type UsageFilter } from '../../src/features/costs/usage-store.ts';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { Database, Schema } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newId } from './fixture.ts';

const startMs = Date.UTC(2026, 0, 1);
const organizationId = newId();
const [keyId, userId] = [newId(), newId()];

let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  // A hundred thousand calls of a busy organization beside as many of others, a minute apart, every attribute spread as in real life.
  await postgres.asSuperuser(
    `insert into holdfast.calls (id, organization_id, key_id, user_id, request_id, end_user, feature, operation, dialect, streamed, model_asked,
       provider, usage_source, outcome, started_at)
     select (lpad(to_hex(${startMs} + n * 60000), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
       case when n % 2 = 0 then $1::uuid else gen_random_uuid() end,
       case when n % 500 = 0 then $2::uuid else gen_random_uuid() end,
       case when n % 1000 = 0 then $3::uuid end,
       'request-' || n,
       case when n % 10 = 0 then 'customer-' || n end,
       case when n % 10 = 0 then 'feature-' || n % 70 end,
       'chat', 'openai', true, 'model-' || n % 40, 'provider-' || n % 6, 'provider',
       case when n % 200 = 0 then 'failed' else 'completed' end,
       to_timestamp(${startMs} / 1000 + n * 60)
     from generate_series(1::bigint, 200000) as n`,
    [organizationId, keyId, userId],
  );
  await postgres.asSuperuser('vacuum analyze holdfast.calls');
}, 60_000);
afterAll(() => postgres.stop());

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** The nodes of the plan by which a page is read, as the role and the organization that read it. */
async function planOf(filter: UsageFilter, page: { limit: number; beforeId: string | undefined }): Promise<Plan[]> {
  const seen: CompiledQuery[] = [];
  const pool = database.pool('app');
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), log: (event) => void seen.push(event.query) });
  await kysely.transaction().execute((transaction) => readCalls(transaction, { ...filter, organizationId }, page));
  const query = seen.find(({ sql }) => sql.includes('holdfast'))!;
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('holdfast.organization_id', $1, true)`, [organizationId]);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) ${query.sql}`, [
      ...query.parameters,
    ]);
    await client.query('rollback');
    const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];
    return nodes(rows[0]!['QUERY PLAN'][0].Plan);
  } finally {
    client.release();
  }
}

const middle = firstUuidV7At(startMs + 100_000 * 60_000);

// `calls_p`: the page's index or the primary key, which is as good for whoever has every second call.
test.each<[string, UsageFilter, string]>([
  ['no filter', {}, 'calls_p'],
  ['from and to', { from: '2026-02-01T00:00:00Z', to: '2026-02-02T00:00:00Z' }, 'calls_p'],
  ['key_id', { key_id: keyId }, 'calls_page_by_key'],
  ['user_id', { user_id: userId }, 'calls_page_by_user'],
  ['model', { model: 'model-20' }, 'calls_p'],
  ['provider', { provider: 'provider-2' }, 'calls_p'],
  ['outcome', { outcome: 'failed' }, 'calls_page_by_outcome'],
  ['the outcome of most', { outcome: 'completed' }, 'calls_p'],
  ['operation', { operation: 'chat' }, 'calls_p'],
  ['request_id', { request_id: 'request-77776' }, 'calls_page_by_request'],
  ['end_user', { end_user: 'customer-77770' }, 'calls_page_by_end_user'],
  ['feature', { feature: 'feature-20' }, 'calls_page_by_feature'],
  ['key_id and outcome', { key_id: keyId, outcome: 'failed' }, 'calls_page_by_key'],
])('a page by %s is read from an index and reads little beside it, first and later', async (_name, filter, index) => {
  for (const beforeId of [undefined, middle]) {
    const plan = await planOf(filter, { limit: 51, beforeId });
    const scans = plan.filter((node) => node['Relation Name'] === 'calls');
    expect(scans.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    // An index may be combined with another, but it is the one that was made for this.
    expect(
      plan
        .map((node) => node['Index Name'])
        .filter((name) => name !== undefined)
        .join(' '),
    ).toContain(index);
    for (const node of plan) expect(node['Rows Removed by Filter'] ?? 0).toBeLessThan(2_100);
  }
});

// Whoever asks for a model that nobody ever called must not have all calls read.
test.each<[string, UsageFilter]>([
  ['model', { model: 'no-such' }],
  ['provider', { provider: 'no-such' }],
  ['operation', { operation: 'embeddings' }],
  ['key_id and model', { key_id: keyId, model: 'no-such' }],
  ['outcome and feature', { outcome: 'failed', feature: 'feature-20' }],
])('a page by %s that nothing matches goes through a bounded number of calls', async (_name, filter) => {
  const plan = await planOf(filter, { limit: 51, beforeId: undefined });
  const scans = plan.filter((node) => node['Relation Name'] === 'calls');
  expect(scans.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  for (const node of scans) {
    expect(node['Actual Rows']).toBeLessThanOrEqual(maxReadCalls);
    // PostgreSQL 15 takes the primary key for whoever has every second call, and so passes over as many calls of others.
    expect(node['Rows Removed by Filter'] ?? 0).toBeLessThanOrEqual(maxReadCalls * 1.1);
  }
});

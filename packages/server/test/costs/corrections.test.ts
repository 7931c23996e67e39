import { costQuery } from '@holdfast/contracts';
import { createPriceBook, type PriceOverrides } from '@holdfast/kit/llm/pricing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCostService, reconcile, reprice } from '../../src/features/costs/index.ts';
import type { NewAuditEvent } from '../../src/platform/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { firstUuidV7At } from '@holdfast/kit/time';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newId } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const own = newId();
/** What was told to the audit log. */
let told: NewAuditEvent[] = [];
const audit = {
  async write(_: unknown, ...events: readonly NewAuditEvent[]): Promise<void> {
    told.push(...events);
  },
};
beforeEach(() => {
  told = [];
});
const at = Date.UTC(2026, 9, 1, 10, 5);
const selection = { from: new Date(at - 3_600_000), to: new Date(at + 3_600_000) };
const bookOf = (models: PriceOverrides['openai']) => createPriceBook({ overrides: { openai: models! } });
const kindOf = (name: string) => (name === 'primary' ? 'openai' : undefined);

interface RowParts {
  readonly provider?: string | null;
  readonly asked?: string;
  readonly served?: string | null;
  readonly prompt?: number;
  readonly completion?: number;
  readonly cost?: number | null;
  readonly outcome?: string;
  readonly source?: string;
  readonly attempts?: object[];
  readonly details?: object | null;
  readonly atMs?: number;
}

let made = 0;
async function setUp() {
  const database = await postgres.createDatabase();
  const opened: Database = await database.open();
  return {
    database,
    opened,
    async insert(parts: RowParts = {}): Promise<string> {
      const {
        provider = 'primary',
        asked = 'fast',
        served = 'm-1',
        prompt = 1_000,
        completion = 100,
        cost = 5,
        outcome = 'completed',
        source = 'provider',
      } = parts;
      const { attempts = [], details = null, atMs = at } = parts;
      const id = firstUuidV7At(atMs).slice(0, -12) + String(++made).padStart(12, '0');
      await database.asSuperuser(
        `insert into holdfast.calls (id, organization_id, provider, model_asked, model_served, prompt_tokens, completion_tokens, usage_source, cost_nano_usd, outcome,
           attempts, usage_details, operation, started_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'chat', $13)`,
        [id, own, provider, asked, served, prompt, completion, source, cost, outcome, JSON.stringify(attempts), details, new Date(atMs)],
      );
      return id;
    },
    rows: () =>
      database.asSuperuser<{ id: string; cost_nano_usd: string | null }>('select id, cost_nano_usd from holdfast.calls order by id'),
    corrections: () =>
      database.asSuperuser(
        'select call_id, number, reason, source, price_id, previous_cost_nano_usd, cost_nano_usd, prompt_tokens from holdfast.call_corrections order by call_id, number',
      ),
    total: async () => (await createCostService(opened).ofInstance(costQuery.parse({}))).data[0],
  };
}

test('a dry run says what would change and writes nothing; for real the row keeps what it said, and a second run finds nothing left', async () => {
  const { opened, insert, rows, corrections, total } = await setUp();
  const book = bookOf({ 'm-1': { cost: { input: 2, output: 10 } } });
  const stale = await insert();
  const unpriced = await insert({ cost: null });
  const right = await insert({ cost: 3_000_000 });
  const before = await rows();

  const dry = await reprice({ database: opened, audit, book, kindOf }, selection, { apply: false, source: 'test' });
  expect(dry).toMatchObject({ calls: 3, changed: 2, unknown: 0, corrected: 0 });
  expect(dry.models).toEqual([{ model: 'm-1', calls: 2, unpriced: 1, beforeNanoUsd: 5n, afterNanoUsd: 6_000_000n }]);
  expect(await corrections()).toEqual([]);

  const applied = await reprice({ database: opened, audit, book, kindOf }, selection, { apply: true, source: 'test' });
  expect(applied.corrected).toBe(2);
  expect(told).toMatchObject([
    {
      type: 'costs.corrected',
      organizationId: own,
      by: { actor: { type: 'operator' } },
      details: { reason: 'repriced', calls: 2, added_nano_usd: '5999995' },
    },
  ]);
  expect(await rows()).toEqual(before);
  const { id } = book.find({ provider: 'openai', model: 'm-1', at })!;
  expect(await corrections()).toMatchObject([
    { call_id: stale, number: 1, reason: 'repriced', price_id: id, previous_cost_nano_usd: '5', cost_nano_usd: '3000000' },
    { call_id: unpriced, number: 1, previous_cost_nano_usd: null, cost_nano_usd: '3000000' },
  ]);
  expect(await total()).toMatchObject({ calls: 3, unpriced_calls: 0, cost_nano_usd: 9_000_000 });
  expect(await reprice({ database: opened, audit, book, kindOf }, selection, { apply: true, source: 'test' })).toMatchObject({
    changed: 0,
    corrected: 0,
  });

  // And once more when prices change again: beside the first correction.
  const dearer = bookOf({ 'm-1': { cost: { input: 4, output: 10 } } });
  expect(await reprice({ database: opened, audit, book: dearer, kindOf }, selection, { apply: true, source: 'test' })).toMatchObject({
    corrected: 3,
  });
  expect((await corrections()).filter(({ call_id }) => call_id === stale)).toMatchObject([
    { number: 1 },
    { number: 2, previous_cost_nano_usd: '3000000', cost_nano_usd: '5000000' },
  ]);
  expect(await total()).toMatchObject({ cost_nano_usd: 15_000_000 });
  expect(right).not.toBe(stale);
});

test('a call is priced as the ledger would: by what was served, else by what was asked, with what was lost to hedging and what is priced apart', async () => {
  const { opened, insert, corrections } = await setUp();
  const book = bookOf({
    asked: { cost: { input: 1, output: 1, cache_write: 2, cache_write_1h: 4 } },
    lost: { cost: { input: 7, output: 7 } },
  });
  const lost = { provider: 'primary', model: 'lost', outcome: 'cancelled', prompt_tokens: 10, completion_tokens: 0 };
  const call = await insert({ served: 'unlisted', prompt: 100, completion: 0, attempts: [{ provider: 'primary', model: 'asked' }, lost] });
  await reprice({ database: opened, audit, book, kindOf }, selection, { apply: true, source: 'test' });
  expect(await corrections()).toMatchObject([{ call_id: call, cost_nano_usd: String(100 * 1_000 + 10 * 7_000) }]);
});

test('what cannot be priced stays as it is: interrupted calls, unknown models and providers, calls that used nothing', async () => {
  const { opened, insert, corrections } = await setUp();
  const book = bookOf({ 'm-1': { cost: { input: 2, output: 10 } } });
  await insert({ outcome: 'interrupted', cost: 9, source: 'none' });
  await insert({ served: 'nobody' });
  await insert({ provider: 'gone' });
  await insert({ provider: null });
  await insert({ prompt: 0, completion: 0, cost: 0, source: 'none' });
  expect(await reprice({ database: opened, audit, book, kindOf }, selection, { apply: true, source: 'test' })).toMatchObject({
    calls: 5,
    changed: 0,
    unknown: 2,
  });
  expect(await corrections()).toEqual([]);
});

test('two that reprice at once correct each call once', async () => {
  const { database, opened, insert, corrections } = await setUp();
  const book = bookOf({ 'm-1': { cost: { input: 2, output: 10 } } });
  for (let at = 0; at < 20; at++) await insert();
  const run = async (with_: Database) => reprice({ database: with_, audit, book, kindOf }, selection, { apply: true, source: 'test' });
  const reports = await Promise.all([run(opened), run(await database.open()), run(await database.open())]);
  expect(reports.reduce((sum, { corrected }) => sum + corrected, 0)).toBe(20);
  expect(await corrections()).toHaveLength(20);
});

const openaiExport = (results: object[]) =>
  JSON.stringify({
    object: 'page',
    data: [{ object: 'bucket', start_time: Date.UTC(2026, 9, 1, 10) / 1000, end_time: Date.UTC(2026, 9, 1, 11) / 1000, results }],
    has_more: false,
  });
const used = (input: number, output: number, requests: number) => ({
  object: 'organization.usage.completions.result',
  ...{ input_tokens: input, output_tokens: output, num_model_requests: requests, model: 'm-1' },
});

test('an export is compared by day and model, and settles the interrupted call that alone can have caused the difference', async () => {
  const { opened, insert, corrections, total, rows } = await setUp();
  const book = bookOf({ 'm-1': { cost: { input: 2, output: 10 } } });
  await insert({ cost: 3_000_000 });
  await insert({ cost: 3_000_000 });
  await insert({ asked: 'other', provider: 'elsewhere', served: 'm-1' });
  const interrupted = await insert({
    outcome: 'interrupted',
    provider: null,
    served: null,
    prompt: 0,
    completion: 0,
    cost: 80_000_000,
    source: 'none',
  });
  const before = await rows();
  const options = {
    database: opened,
    audit,
    book,
    providersOf: (kind: string) => (kind === 'openai' ? ['primary'] : []),
    modelsOf: (asked: string) => (asked === 'fast' ? ['m-1'] : []),
    nowMs: at + 10 * 3_600_000,
  };
  const text = openaiExport([used(2_400, 230, 3)]);
  const dry = await reconcile(options, text, { apply: false });
  expect(dry.models).toMatchObject([
    {
      day: '2026-10-01',
      model: 'm-1',
      recordedCalls: 2,
      exportedRequests: 3,
      recorded: { promptTokens: 2_000, completionTokens: 200 },
      exported: { promptTokens: 2_400, completionTokens: 230 },
      recordedNanoUsd: 6_000_000n,
      exportedNanoUsd: 7_100_000n,
    },
  ]);
  expect(dry.settled).toEqual([{ callId: interrupted, model: 'm-1', costNanoUsd: 1_100_000 }]);
  expect(await corrections()).toEqual([]);
  expect(await total()).toMatchObject({ reserved_nano_usd: 80_000_000 });

  expect(await reconcile(options, text, { apply: true })).toMatchObject({ corrected: 1 });
  expect(await corrections()).toMatchObject([
    {
      call_id: interrupted,
      reason: 'reconciled',
      source: expect.stringMatching(/^OpenAI, administration API, sha256 [0-9a-f]{16}$/),
      previous_cost_nano_usd: '80000000',
      cost_nano_usd: '1100000',
      prompt_tokens: '400',
    },
  ]);
  expect(await rows()).toEqual(before);
  expect(await total()).toMatchObject({ reserved_nano_usd: 0, interrupted_calls: 1 });
  // What is settled is settled: the same file once more agrees with the ledger, and leaves nothing for a call that comes to light later.
  const late = await insert({ outcome: 'interrupted', provider: null, served: null, prompt: 0, completion: 0, cost: null, source: 'none' });
  const again = await reconcile(options, text, { apply: true });
  expect(again).toMatchObject({ corrected: 1, settled: [{ callId: late, model: undefined, costNanoUsd: 0 }] });
  expect(again.models).toMatchObject([{ recordedCalls: 3, recorded: { promptTokens: 2_400 }, recordedNanoUsd: 7_100_000n }]);
  // And it can be priced again now.
  const dearer = bookOf({ 'm-1': { cost: { input: 4, output: 10 } } });
  await reprice(
    { database: opened, audit, book: dearer, kindOf },
    { ...selection, outcome: 'interrupted' },
    { apply: true, source: 'test' },
  );
  // No provider is known of it, so it stays.
  expect(await corrections()).toHaveLength(2);
});

test('an export of costs is compared by day', async () => {
  const { opened, insert } = await setUp();
  await insert({ cost: 3_000_000 });
  const options = {
    database: opened,
    audit,
    book: bookOf({}),
    providersOf: () => ['primary'],
    modelsOf: () => [],
    nowMs: at + 10 * 3_600_000,
  };
  const cost = { object: 'organization.costs.result', amount: { value: 0.0031, currency: 'usd' }, line_item: null };
  const report = await reconcile(options, openaiExport([cost]), { apply: true });
  expect(report.days).toEqual([{ day: '2026-10-01', recordedNanoUsd: 3_000_000n, chargedNanoUsd: 3_100_000n }]);
  expect(report).toMatchObject({ settled: [], corrected: 0 });
});

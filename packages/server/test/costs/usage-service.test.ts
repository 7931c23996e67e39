import type { KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstUuidV7At } from '@holdfast/kit/time';
import { createUsageService, type UsageService } from '../../src/features/costs/index.ts';
import { maxReadCalls, readCalls } from '../../src/features/costs/usage-store.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { ending, modelCall, newId, openLedger, type CallOverrides } from './fixture.ts';

let postgres: TestDatabase;
let database: Database;
let usage: UsageService;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  usage = createUsageService(database);
});
afterAll(() => postgres.stop());

const first = { limit: 200, cursor: undefined };

/** Records a call and returns it. */
async function record(overrides: CallOverrides, end: Parameters<typeof ending>[0] = {}) {
  const { ledger, close } = await openLedger(database);
  const call = modelCall(overrides);
  await ledger.enter(call).settle(ending(end));
  await close();
  return call;
}

describe('filters', () => {
  const organizationId = newId();
  const wanted = {
    keyId: newId(),
    userId: newId(),
    endUser: 'customer',
    feature: 'chat',
    requestId: 'wanted',
    operation: 'embeddings',
    model: 'dear',
  } as const;
  let id: string;
  beforeAll(async () => {
    id = (
      await record(
        { organizationId, ...wanted, record: { provider: 'other' } },
        { outcome: 'failed', errorCode: 'stream_cut', status: 502 },
      )
    ).id;
    for (let others = 0; others < 5; others++) await record({ organizationId });
  });

  test.each([
    ['key_id', { key_id: wanted.keyId }],
    ['user_id', { user_id: wanted.userId }],
    ['model', { model: 'dear' }],
    ['provider', { provider: 'other' }],
    ['operation', { operation: 'embeddings' }],
    ['outcome', { outcome: 'failed' }],
    ['request_id', { request_id: 'wanted' }],
    ['end_user', { end_user: 'customer' }],
    ['feature', { feature: 'chat' }],
    [
      'all of them',
      {
        key_id: wanted.keyId,
        user_id: wanted.userId,
        model: 'dear',
        provider: 'other',
        operation: 'embeddings',
        outcome: 'failed',
        request_id: 'wanted',
      },
    ],
  ] as const)('by %s find the call that is meant, and no other', async (_name, filter) => {
    expect((await usage.ofOrganization(organizationId, filter, first)).data.map((row) => row.id)).toEqual([id]);
    expect((await usage.ofInstance(filter, first)).data.map((row) => row.id)).toContain(id);
  });

  test('that contradict each other find nothing; outcome completed finds the rest', async () => {
    expect(await usage.ofOrganization(organizationId, { model: 'dear', outcome: 'completed' }, first)).toEqual({
      data: [],
      next_cursor: null,
    });
    expect((await usage.ofOrganization(organizationId, { outcome: 'completed' }, first)).data).toHaveLength(5);
  });

  test.each(['a\0', '\0'])('with NUL are refused: %j', async (text) => {
    for (const filter of [{ model: text }, { request_id: text }, { end_user: text }]) {
      await expect(usage.ofOrganization(organizationId, filter, first)).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(usage.ofInstance(filter, first)).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  test('with text meant for SQL find nothing', async () => {
    for (const text of ["' or true --", '%', '_', '*', "'; drop table holdfast.calls; --"]) {
      expect((await usage.ofOrganization(organizationId, { model: text }, first)).data).toEqual([]);
    }
  });
});

test('another organization sees nothing, whatever it asks for', async () => {
  const call = await record({ model: 'secret' });
  const foreign = newId();
  for (const filter of [{}, { model: 'secret' }, { request_id: call.context.requestId }, { key_id: call.context.principal.keyId }]) {
    expect(await usage.ofOrganization(foreign, filter, first)).toEqual({ data: [], next_cursor: null });
  }
  // Nor does a cursor open a door: it says where to go on, not in what.
  const cursor = Buffer.from('ffffffff-ffff-7fff-bfff-ffffffffffff').toString('base64url');
  expect((await usage.ofOrganization(foreign, {}, { limit: 10, cursor })).data).toEqual([]);
  expect((await usage.ofOrganization(call.context.principal.organizationId, {}, first)).data).toHaveLength(1);
});

describe('a page for a filter without an index', () => {
  const organizationId = newId();
  const total = maxReadCalls * 2 + 500;
  beforeAll(async () => {
    await postgres.asSuperuser(
      `insert into holdfast.calls (id, organization_id, request_id, operation, dialect, model_asked, usage_source, outcome, started_at)
       select ('01970000' || lpad(to_hex(n), 4, '0') || '7000800000000000' || right($1, 4))::uuid, $1::uuid, 'r', 'chat', 'openai',
         case when n in (1, 2, ${total}) then 'rare' else 'frequent' end, 'none', 'completed', now()
       from generate_series(1, ${total}) as n`,
      [organizationId],
    );
  }, 30_000);

  test('may be short or empty, and its cursor still leads to every call once', async () => {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await usage.ofOrganization(organizationId, { model: 'rare' }, { limit: 2, cursor });
      pages.push(page.data.map((row) => row.id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(pages.map((ids) => ids.length)).toEqual([1, 0, 2]);
    expect(new Set(pages.flat()).size).toBe(3);
  });

  test('hands out no call twice although more came in while it was read', async () => {
    const filter = { model: 'rare', organizationId };
    const rows = `select ('01980000' || lpad(to_hex(n), 4, '0') || '7000800000000000' || right($1, 4))::uuid, $1::uuid, 'r', 'chat', 'openai',
        'frequent', 'none', 'completed', now() from generate_series(1, ${maxReadCalls}) as n`;
    let statements = 0;
    // The newer calls are committed after the page was read and before its end is looked for.
    const busy: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (++statements === 1) {
          await postgres.asSuperuser(
            `insert into holdfast.calls (id, organization_id, request_id, operation, dialect, model_asked, usage_source, outcome, started_at) ${rows}`,
            [organizationId],
          );
        }
        return result;
      },
    };
    const page = await database.withOrganization(organizationId, (transaction) =>
      readCalls(transaction.withPlugin(busy) as typeof transaction, filter, { limit: 2, beforeId: undefined }),
    );
    expect(statements).toBe(2);
    expect(page.rows).toHaveLength(1);
    expect(page.nextBeforeId! <= page.rows[0]!.id).toBe(true);
  });

  test('that is full goes through no more than it needs', async () => {
    const page = await usage.ofOrganization(organizationId, { model: 'frequent' }, { limit: 10, cursor: undefined });
    expect(page.data).toHaveLength(10);
    expect(page.next_cursor).toBe(Buffer.from(page.data[9]!.id).toString('base64url'));
  });
});

describe('pages', () => {
  const organizationId = newId();
  beforeAll(async () => {
    const { ledger, close } = await openLedger(database);
    // All at the same millisecond: only the ids tell them apart.
    const startedAt = Date.UTC(2026, 5, 1);
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ledger.enter(modelCall({ organizationId, startedAt, model: index % 2 ? 'odd' : 'even' })).settle(ending()),
      ),
    );
    await close();
  });

  async function walk(
    filter: Parameters<UsageService['ofOrganization']>[1],
    limit: number,
    between: () => Promise<unknown> = async () => {},
  ): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await usage.ofOrganization(organizationId, filter, { limit, cursor });
      ids.push(...page.data.map((row) => row.id));
      expect(page.data.length).toBeLessThanOrEqual(limit);
      cursor = page.next_cursor ?? undefined;
      await between();
    } while (cursor !== undefined);
    return ids;
  }

  test.each([1, 7, 99, 100, 101, 200])('of %i show every call once, newest first', async (limit) => {
    const ids = await walk({}, limit);
    expect(ids).toHaveLength(100);
    expect(ids).toEqual([...new Set(ids)].toSorted().reverse());
  });

  test('of a filter too', async () => {
    expect(await walk({ model: 'odd' }, 9)).toHaveLength(50);
  });

  test('are not moved by calls that come meanwhile', async () => {
    const before = await walk({ model: 'even' }, 200);
    const during = await walk({ model: 'even' }, 20, () => record({ organizationId, model: 'even' }));
    expect(during).toEqual(before);
  });

  test.each([
    '',
    'AAAA',
    '*',
    'ä',
    Buffer.from('not-a-uuid').toString('base64url'),
    Buffer.from("' or 1=1").toString('base64url'),
    'x'.repeat(500),
  ])('with the cursor %.20j are refused', async (cursor) => {
    const refused = expect.objectContaining({
      code: 'invalid_request',
      details: [{ field: 'cursor', message: 'is not a cursor of this list' }],
    });
    await expect(usage.ofOrganization(organizationId, {}, { limit: 1, cursor })).rejects.toEqual(refused);
    await expect(usage.ofInstance({}, { limit: 1, cursor })).rejects.toEqual(refused);
  });
});

describe('bounds of time', () => {
  const at = Date.UTC(2026, 6, 1, 12);
  const iso = (ms: number) => new Date(ms).toISOString();
  /** Ids are made a little after the start of the call: the body has to arrive first. */
  const idAt = (ms: number) => firstUuidV7At(ms).slice(0, -12) + newId().slice(-12);

  test.each([
    ['at once', 0],
    ['after a body that took a minute', 61_000],
    ['after a body that took the longest that can be allowed', 3_600_000],
  ])('go by the start of a call whose id was made %s', async (_what, laterMs) => {
    const organizationId = newId();
    const { id } = await record({ organizationId, id: idAt(at + laterMs), startedAt: at });
    const found = async (from: number | undefined, to: number | undefined) =>
      (
        await usage.ofOrganization(
          organizationId,
          { ...(from !== undefined && { from: iso(from) }), ...(to !== undefined && { to: iso(to) }) },
          first,
        )
      ).data.map((row) => row.id);
    expect(await found(at, at + 1)).toEqual([id]);
    expect(await found(at, undefined)).toEqual([id]);
    expect(await found(undefined, at + 1)).toEqual([id]);
    expect(await found(at + 1, undefined)).toEqual([]);
    expect(await found(undefined, at)).toEqual([]);
    expect(await found(at, at)).toEqual([]);
  });

  test('may be as far away as a time can be written', async () => {
    const { context } = await record({});
    const { data } = await usage.ofOrganization(
      context.principal.organizationId,
      { from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' },
      first,
    );
    expect(data).toHaveLength(1);
  });
});

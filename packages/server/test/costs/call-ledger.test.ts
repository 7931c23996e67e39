import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFakeClock } from '@holdfast/kit/testing';
import { systemClock } from '@holdfast/kit/time';
import { CallLedger, createLedgerWriter, InstanceLease, writeBeat } from '../../src/features/costs/index.ts';
import { intentBytes, rowBytes } from '../../src/features/costs/ledger-row.ts';
import { isHoldfastError } from '@holdfast/kit/errors';
import { callEvent } from '../../src/features/costs/call-event.ts';
import { auditEventBytes, type PersonalReferences } from '../../src/platform/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createReferences } from '../support/personal-references.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { ending, hastyClock, hurriedClock, modelCall, newId, openLedger, type CallOverrides } from './fixture.ts';

let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
});
afterAll(() => postgres.stop());

const rowOf = async (id: string) =>
  (await postgres.asSuperuser<Record<string, unknown>>('select * from holdfast.calls where id = $1', [id]))[0];
const intentOf = async (id: string) =>
  (await postgres.asSuperuser<Record<string, unknown>>('select * from holdfast.call_intents where id = $1', [id]))[0];
const eventsOf = async (id: string) =>
  (await postgres.asSuperuser<{ body: string }>('select body from holdfast.audit_inbox where id = $1', [id])).map(
    ({ body }) => JSON.parse(body) as Record<string, unknown>,
  );
const revealed = async (references: PersonalReferences, refs: readonly string[]) => {
  const rows = await postgres.asSuperuser<{ ref: string; salt: Buffer; sealed: Buffer }>(
    'select ref, salt, sealed from holdfast.audit_personal where ref = any($1)',
    [refs],
  );
  return rows.map((row) => references.reveal(row));
};
const countOf = async (ids: readonly string[]) =>
  (await postgres.asSuperuser<{ count: string }>('select count(*) from holdfast.calls where id = any($1::uuid[])', [ids]))[0]!.count;

const texts = [
  '',
  'plain',
  `"quoted" \\ back`,
  'línea\r\n\t\u0001',
  '模型 🦊',
  '{"a":[1]}',
  "'); drop table holdfast.calls; --",
  'x'.repeat(256),
];

describe('a row', () => {
  test('has every column as the call had it', async () => {
    const instanceId = newId();
    const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
    for (const text of texts) {
      const call = modelCall({
        ...{
          userId: newId(),
          requestId: text,
          endUser: text,
          feature: text,
          model: text,
          operation: 'embeddings',
          dialect: 'anthropic',
          stream: true,
        },
        startedAt: 1_767_225_599_999.75,
        record: {
          provider: text,
          firstTokenMs: 0.1234,
          layers: { door: 0.5, provider: 1 / 3 },
          attempts: [{ provider: text, model: text, outcome: 'failed', error_code: 'stream_cut', latency_ms: 1.5 }],
        },
      });
      const most = Number.MAX_SAFE_INTEGER;
      const usage = {
        promptTokens: most,
        completionTokens: most - 1,
        cachedTokens: most - 2,
        cacheWriteTokens: most - 3,
        reasoningTokens: most - 4,
        cacheWrite1hTokens: most - 5,
        audioCompletionTokens: 7,
        source: 'estimated',
      } as const;
      const end = ending({
        usage,
        finishReason: text,
        servedModel: text,
        costNanoUsd: most,
        priceId: 'q1zYb0mXk2Jp9sTd',
        latencyMs: 1e9 + 0.5,
        overheadMs: 0,
        outcome: 'failed',
        errorCode: 'stream_cut',
        status: 502,
        finishedAt: 1_767_225_600_000,
      });
      await writer.write(
        [
          { kind: 'row', bytes: rowBytes(call, instanceId, end) },
          { kind: 'intent', bytes: intentBytes(call, instanceId) },
        ],
        false,
      );
      const common = {
        id: call.id,
        organization_id: call.context.principal.organizationId,
        instance_id: instanceId,
        request_id: text,
        key_id: call.context.principal.keyId,
        user_id: call.context.principal.userId,
        ...{
          end_user: text,
          feature: text,
          operation: 'embeddings',
          dialect: 'anthropic',
          streamed: true,
          model_asked: text,
          provider: text,
        },
        started_at: new Date('2025-12-31T23:59:59.999Z'),
      };
      expect(await intentOf(call.id)).toEqual({ ...common, reserved_nano: null });
      expect(await rowOf(call.id)).toEqual({
        ...common,
        model_served: text,
        // pg gives a bigint as text to whoever has not asked for numbers.
        ...{ prompt_tokens: String(most), completion_tokens: String(most - 1), cached_tokens: String(most - 2) },
        ...{
          cache_write_tokens: String(most - 3),
          reasoning_tokens: String(most - 4),
          usage_source: 'estimated',
          cost_nano_usd: String(most),
        },
        ...{
          outcome: 'failed',
          error_code: 'stream_cut',
          finish_reason: text,
          status: 502,
          latency_ms: 1e9 + 0.5,
          first_token_ms: 0.123,
          overhead_ms: 0,
        },
        layers: { door: 0.5, provider: 0.333 },
        attempts: [{ provider: text, model: text, outcome: 'failed', error_code: 'stream_cut', latency_ms: 1.5 }],
        finished_at: new Date('2026-01-01T00:00:00.000Z'),
        price_id: 'q1zYb0mXk2Jp9sTd',
        usage_details: { cache_write_1h_tokens: most - 5, audio_completion_tokens: 7 },
        committed_in: expect.stringMatching(/^\d+$/),
      });
    }
    writer.close();
  });

  test('has null where nothing is known, which is not 0', async () => {
    const { ledger, close } = await openLedger(database);
    const call = modelCall({ record: { provider: undefined, targetModel: undefined } });
    await ledger.enter(call).settle(ending({ usage: undefined, finishReason: undefined, servedModel: undefined, costNanoUsd: null }));
    expect(await rowOf(call.id)).toMatchObject({
      ...{ price_id: null, usage_details: null },
      ...{ user_id: null, end_user: null, feature: null, model_served: null, provider: null, cost_nano_usd: null, error_code: null },
      ...{ finish_reason: null, first_token_ms: null, usage_source: 'none', prompt_tokens: '0', layers: {}, attempts: [] },
    });
    await close();
  });

  test('any text of clients and providers can be stored, in one batch with all others', async () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 300 });
    const anyCall = fc.record({
      endUser: anyText,
      feature: anyText,
      model: anyText,
      requestId: anyText,
      served: anyText,
      finish: anyText,
      attempted: anyText,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 40 }), async (given) => {
        const { ledger, close } = await openLedger(database);
        const calls = given.map(({ endUser, feature, model, requestId, attempted }) =>
          modelCall({
            endUser,
            feature,
            model,
            requestId,
            record: { attempts: [{ provider: 'p', model: attempted, outcome: 'completed', error_code: null, latency_ms: 1 }] },
          } as CallOverrides),
        );
        await Promise.all(
          calls.map(async (call, index) => {
            const entry = ledger.enter(call);
            await entry.makeDurable();
            await entry.settle(ending({ servedModel: given[index]!.served, finishReason: given[index]!.finish }));
          }),
        );
        const kept = (text: string) => text.slice(0, 256).replaceAll('\0', '').toWellFormed();
        for (const [index, call] of calls.entries()) {
          const { endUser, feature, model, served, finish, attempted } = given[index]!;
          expect(await rowOf(call.id)).toMatchObject({
            end_user: kept(endUser),
            feature: kept(feature),
            model_asked: kept(model),
            model_served: kept(served),
            finish_reason: kept(finish),
            attempts: [{ model: kept(attempted) }],
          });
        }
        await close();
      }),
      { numRuns: 20 },
    );
  });

  test('written again changes nothing: the first stays', async () => {
    const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
    const call = modelCall();
    const batch = (finishReason: string) => [
      { kind: 'intent', bytes: intentBytes(call, newId()) } as const,
      { kind: 'row', bytes: rowBytes(call, newId(), ending({ finishReason })) } as const,
    ];
    await writer.write(batch('first'), false);
    const [row, intent] = [await rowOf(call.id), await intentOf(call.id)];
    await writer.write(batch('second'), true);
    await writer.write([...batch('third'), ...batch('fourth').slice(1)], true);
    await expect(writer.write(batch('fifth'), false)).rejects.toThrow('duplicate key');
    expect([await rowOf(call.id), await intentOf(call.id)]).toEqual([row, intent]);
    writer.close();
  });

  test('has its audit event exactly when it is new, also when what was written is written again', async () => {
    const references = createReferences();
    const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
    const call = modelCall({ endUser: 'anna' });
    const write = (finishReason: string) => {
      const end = ending({ finishReason });
      const { bytes, personal } = callEvent(call, end, references);
      return { kind: 'row', bytes: rowBytes(call, newId(), end), event: bytes, personal } as const;
    };
    const first = write('first');
    await writer.write([first], false);
    expect(await eventsOf(call.id)).toHaveLength(1);
    expect((await eventsOf(call.id))[0]).toMatchObject({ type: 'model.called', organization_id: call.context.principal.organizationId });
    expect(
      await revealed(
        references,
        first.personal!.map(({ ref }) => ref),
      ),
    ).toStrictEqual(['anna']);
    // What is durable is written no more.
    expect(first.personal![0]!.row).toBeUndefined();
    expect(write('second').personal).toBeUndefined();

    await writer.write([write('second')], true);
    await expect(writer.write([write('third')], false)).rejects.toThrow('duplicate key');
    expect(await eventsOf(call.id)).toHaveLength(1);

    // An event of no row may come twice; the sequencer drops the second.
    const next = modelCall();
    const alone = { kind: 'event', bytes: auditEventBytes(newId(), null, '{}') } as const;
    await writer.write(
      [alone, { kind: 'row', bytes: rowBytes(next, newId(), ending()), event: callEvent(next, ending(), references).bytes }],
      true,
    );
    await writer.write([alone], true);
    expect(await eventsOf(next.id)).toHaveLength(1);
    writer.close();
  });

  test('and an event that is refused with it: neither is there', async () => {
    const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
    const call = modelCall();
    const event = auditEventBytes(call.id, null, 'x'.repeat(40_000));
    await expect(writer.write([{ kind: 'row', bytes: rowBytes(call, newId(), ending()), event }], false)).rejects.toThrow(
      'check constraint',
    );
    expect([await rowOf(call.id), await eventsOf(call.id)]).toStrictEqual([undefined, []]);
    writer.close();
  });

  test('that the database refuses fails alone: its neighbours are stored, and the ledger stays available', async () => {
    const { ledger, close } = await openLedger(database);
    const calls = Array.from({ length: 20 }, () => modelCall());
    const bad = modelCall();
    const settled = await Promise.allSettled(
      [...calls, bad].map((call) => ledger.enter(call).settle(ending(call === bad ? { outcome: 'unheard of' as never } : {}))),
    );
    expect(settled.map((each) => each.status)).toEqual([...calls.map(() => 'fulfilled'), 'rejected']);
    expect(settled.at(-1)).toMatchObject({ reason: { code: 'ledger_unavailable' } });
    expect([await countOf(calls.map((call) => call.id)), ledger.available]).toEqual(['20', true]);
    await close();
  });

  test('is there when settling resolves, and an intent when it is durable', async () => {
    const { ledger, close } = await openLedger(database);
    const call = modelCall();
    const entry = ledger.enter(call);
    expect([entry.durable, await intentOf(call.id)]).toEqual([false, undefined]);
    await entry.makeDurable();
    expect([entry.durable, (await intentOf(call.id))!['id']]).toEqual([true, call.id]);
    await entry.settle(ending());
    expect((await rowOf(call.id))!['outcome']).toBe('completed');
    await close();
  });

  test('a call that lasts leaves an intent by itself, one that does not leaves none', async () => {
    const { ledger, close } = await openLedger(database, hurriedClock(4));
    const [short, long] = [modelCall(), modelCall()];
    await ledger.enter(short).settle(ending());
    ledger.enter(long);
    await expect.poll(() => intentOf(long.id)).toBeDefined();
    expect(await intentOf(short.id)).toBeUndefined();
    await close();
  });
});

describe('while the database fails', () => {
  let proxy: DatabaseProxy;
  const open = async () => {
    proxy = await startDatabaseProxy(postgres.target);
    return openLedger(await postgres.open({ target: proxy.target, timeouts: { connectTimeoutMs: 300 } }), hastyClock);
  };

  test('a writer that is ended in the middle of its commit writes again: every row exactly once', async () => {
    const { ledger, failures, close } = await openLedger(database);
    await ledger.enter(modelCall()).settle(ending());
    const calls = Array.from({ length: 600 }, () => modelCall());
    // Held by a lock, so that the commit is under way for certain.
    await postgres.asSuperuser('begin');
    await postgres.asSuperuser('lock table holdfast.calls in access exclusive mode');
    const settled = Promise.all(calls.map((call) => ledger.enter(call).settle(ending())));
    await expect
      .poll(() =>
        postgres.asSuperuser(`select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'holdfast writer'`),
      )
      .not.toEqual([]);
    await postgres.asSuperuser(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast writer' and datname = current_database()`,
    );
    await postgres.asSuperuser('commit');
    await settled;
    expect([await countOf(calls.map((call) => call.id)), failures()]).toEqual(['600', 1]);
    expect(ledger.available).toBe(true);
    await close();
  });

  test('a commit that happened and whose answer was lost is written again, and counts once', async () => {
    const { ledger, failures, close } = await open();
    await ledger.enter(modelCall()).settle(ending());
    const call = modelCall();
    await postgres.asSuperuser('begin');
    await postgres.asSuperuser('lock table holdfast.calls in access exclusive mode');
    const settled = ledger.enter(call).settle(ending());
    await expect
      .poll(() =>
        postgres.asSuperuser(`select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'holdfast writer'`),
      )
      .not.toEqual([]);
    proxy.freeze(); // what the database says from now on reaches nobody
    await postgres.asSuperuser('commit');
    await expect.poll(() => rowOf(call.id)).toBeDefined();
    const stored = await rowOf(call.id);
    proxy.restore();
    await settled;
    expect([await rowOf(call.id), failures()]).toEqual([stored, 1]);
    await close();
    await proxy.stop();
  });

  test('past its patience a row is given up with ledger_unavailable, calls are refused, and both end by themselves', async () => {
    const { ledger, failures, close } = await open();
    expect(ledger.available).toBe(true);
    proxy.cut();
    const call = modelCall();
    const failed = expect(ledger.enter(call).settle(ending())).rejects.toMatchObject({
      code: 'ledger_unavailable',
      status: 503,
      retryable: true,
    });
    await expect.poll(() => ledger.available).toBe(false);
    await failed;
    expect(failures()).toBeGreaterThan(1);
    expect(ledger.available).toBe(false);
    proxy.restore();
    await expect.poll(() => ledger.available).toBe(true);
    const next = modelCall();
    await ledger.enter(next).settle(ending());
    // What was given up was told so to its client: it may be there or not, but the next is.
    expect(await countOf([next.id])).toBe('1');
    await close();
    await proxy.stop();
  });

  test('an absence that is short costs nobody anything but time', async () => {
    const { ledger, close } = await open();
    const calls = Array.from({ length: 50 }, () => modelCall());
    await ledger.enter(modelCall()).settle(ending());
    proxy.cut();
    const settled = Promise.all(calls.map((call) => ledger.enter(call).settle(ending())));
    await expect.poll(() => ledger.available).toBe(false);
    proxy.restore();
    await settled;
    expect([await countOf(calls.map((call) => call.id)), ledger.available]).toEqual(['50', true]);
    await close();
    await proxy.stop();
  });
});

test('after its lease ran out nothing is recorded under the old name; under the new one it goes on', async () => {
  const clock = createFakeClock({ nowMs: systemClock.now() });
  let away = false;
  const lease = new InstanceLease({ beat: (id) => (away ? Promise.reject(new Error('away')) : writeBeat(database, id)), newId, clock });
  await lease.start();
  const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
  const ledger = new CallLedger({
    references: createReferences(),
    write: (batch, again) => writer.write(batch, again),
    mayPass: (error) => isHoldfastError(error),
    lease,
    clock,
  });
  const call = modelCall();
  const entry = ledger.enter(call);
  const before = lease.instanceId;
  away = true;
  await clock.advanceAsync(31_000);
  expect(ledger.available).toBe(false);
  await expect(entry.settle(ending())).rejects.toMatchObject({ code: 'ledger_unavailable' });
  away = false;
  await clock.advanceAsync(1_000);
  await expect.poll(() => ledger.available).toBe(true);
  expect(lease.instanceId).not.toBe(before);
  // Also now: others may have settled it as interrupted meanwhile.
  await expect(entry.settle(ending())).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(await rowOf(call.id)).toBeUndefined();
  const next = modelCall();
  await ledger.enter(next).settle(ending());
  expect(await rowOf(next.id)).toMatchObject({ instance_id: lease.instanceId });
  lease.stop();
  writer.close();
});

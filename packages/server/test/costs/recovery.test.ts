import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@holdfast/kit/time';
import { callsRecovered, countLiveInstances, createLedgerWriter, createRecovery, writeBeat } from '../../src/features/costs/index.ts';
import { callEvent } from '../../src/features/costs/call-event.ts';
import { intentBytes, rowBytes } from '../../src/features/costs/ledger-row.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createReferences } from '../support/personal-references.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { ending, modelCall, newId, openLedger } from './fixture.ts';

let cluster: TestDatabase;
let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  cluster = await startTestDatabase();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  postgres = await cluster.createDatabase();
  database = await postgres.open();
  return () => postgres.stop();
});

const recoveryOf = (handle: Database, instanceId = newId()) =>
  createRecovery({ database: handle, instanceId: () => instanceId, references: createReferences(), clock: systemClock });

/** Intents of an instance whose last sign of life is so many seconds old; null never gave one. */
async function leaveIntents(count: number, silentSeconds: number | null): Promise<string> {
  const instanceId = newId();
  if (silentSeconds !== null) {
    await postgres.asSuperuser(`insert into holdfast.instances values ($1, now() - interval '1 hour', now() - make_interval(secs => $2))`, [
      instanceId,
      silentSeconds,
    ]);
  }
  await postgres.asSuperuser(
    `insert into holdfast.call_intents (id, organization_id, instance_id, operation, dialect, streamed, model_asked, started_at)
     select gen_random_uuid(), $1, $2, 'chat', 'openai', true, 'fast', now() from generate_series(1, $3)`,
    [newId(), instanceId, count],
  );
  return instanceId;
}

async function counts(): Promise<{ intents: number; rows: number; interrupted: number }> {
  const [found] = await postgres.asSuperuser<{ intents: number; rows: number; interrupted: number }>(
    `select (select count(*)::int from holdfast.call_intents) as intents, (select count(*)::int from holdfast.calls) as rows,
       (select count(*)::int from holdfast.calls where outcome = 'interrupted') as interrupted`,
  );
  return found!;
}

test('the calls of a dead instance become interrupted exactly once, also with several recoveries at a time', async () => {
  await leaveIntents(2_500, 61);
  await leaveIntents(500, null);
  const announced: number[] = [];
  const stop = callsRecovered.subscribe(({ interrupted }) => void announced.push(interrupted));
  const others = await Promise.all([postgres.open(), postgres.open(), postgres.open()]);
  const interrupted = await Promise.all(others.map((handle) => recoveryOf(handle).recover()));
  // A later round finds what others held in the moment of their end.
  interrupted.push(await recoveryOf(database).recover());
  stop();
  expect(interrupted.reduce((sum, each) => sum + each)).toBe(3_000);
  expect(announced.reduce((sum, each) => sum + each)).toBe(3_000);
  expect(await counts()).toEqual({ intents: 0, rows: 3_000, interrupted: 3_000 });
  const told = await postgres.asSuperuser('select count(*)::int as events, count(distinct id)::int as calls from holdfast.audit_inbox');
  expect(told).toEqual([{ events: 3_000, calls: 3_000 }]);
  expect(await recoveryOf(database).recover()).toBe(0);
});

test('an interrupted row has what its intent knew, and claims nothing that nobody knows', async () => {
  const call = modelCall({ endUser: 'u', feature: 'f', userId: newId(), stream: true });
  const instanceId = newId();
  const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
  await writer.write([{ kind: 'intent', bytes: intentBytes(call, instanceId) }], false);
  await recoveryOf(database).recover();
  const [row] = await postgres.asSuperuser('select * from holdfast.calls');
  const { organizationId, keyId, userId } = call.context.principal;
  expect(row).toMatchObject({
    ...{
      id: call.id,
      organization_id: organizationId,
      instance_id: instanceId,
      key_id: keyId,
      user_id: userId,
      request_id: call.context.requestId,
    },
    ...{
      end_user: 'u',
      feature: 'f',
      streamed: true,
      model_asked: 'fast',
      provider: 'primary',
      outcome: 'interrupted',
      usage_source: 'none',
    },
    ...{
      prompt_tokens: null,
      completion_tokens: null,
      cost_nano_usd: null,
      status: null,
      latency_ms: null,
      error_code: null,
      attempts: null,
    },
    started_at: new Date(Math.floor(call.context.startedAt)),
  });
  const events = async () =>
    (await postgres.asSuperuser<{ body: string }>('select body from holdfast.audit_inbox')).map(({ body }) => body);
  const [event] = await events();
  expect(JSON.parse(event!)).toMatchObject({
    ...{ id: call.id, type: 'model.called', outcome: 'interrupted', organization_id: organizationId, request_id: call.context.requestId },
    ...{ actor: { type: 'key', id: keyId, user_id: userId }, resource: { type: 'model', id: 'fast' } },
    details: { outcome: 'interrupted', provider: 'primary', streamed: true },
  });
  expect(event).not.toContain('"u"');
  // The row of a call that was given up too early comes late: it does not count a second time, and neither does its event.
  const late = callEvent(call, ending(), createReferences());
  await writer.write([{ kind: 'row', bytes: rowBytes(call, instanceId, ending()), event: late.bytes, personal: late.personal }], true);
  expect(await events()).toStrictEqual([event]);
  expect(await counts()).toEqual({ intents: 0, rows: 1, interrupted: 1 });
  writer.close();
});

test('the event of an interrupted call says what was reserved for it, as a number', async () => {
  const call = modelCall({ record: { reservedNanoUsd: 12_345 } });
  const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
  await writer.write([{ kind: 'intent', bytes: intentBytes(call, newId()) }], false);
  writer.close();
  await recoveryOf(database).recover();
  const [event] = await postgres.asSuperuser<{ body: string }>('select body from holdfast.audit_inbox');
  expect(JSON.parse(event!.body)).toMatchObject({ id: call.id, outcome: 'interrupted', details: { cost_nano_usd: 12_345 } });
});

test('the calls of instances that live, and of the one that recovers, are left alone', async () => {
  await leaveIntents(10, 0);
  await leaveIntents(10, 50);
  const own = await leaveIntents(10, 3_600);
  expect(await recoveryOf(database, own).recover()).toBe(0);
  expect(await counts()).toEqual({ intents: 30, rows: 0, interrupted: 0 });
});

test('an instance that is alone on its database waits for nobody', async () => {
  await leaveIntents(10, 0);
  const own = await leaveIntents(5, 0);
  expect(await recoveryOf(database, own).recover({ aloneOnDatabase: true })).toBe(10);
  expect(await counts()).toEqual({ intents: 5, rows: 10, interrupted: 10 });
});

test('intents that have their row are removed, however many, and their rows stay as they are', async () => {
  await leaveIntents(2_500, 0);
  await postgres.asSuperuser(
    `insert into holdfast.calls (id, organization_id, instance_id, usage_source, outcome, started_at)
     select id, organization_id, instance_id, 'none', 'completed', started_at from holdfast.call_intents`,
  );
  await leaveIntents(7, 0);
  expect(await recoveryOf(database).recover()).toBe(0);
  expect(await counts()).toEqual({ intents: 7, rows: 2_500, interrupted: 0 });
});

test('calls under way on a living ledger survive the recoveries of others', async () => {
  const { ledger, close } = await openLedger(database);
  const calls = Array.from({ length: 100 }, () => modelCall());
  const entries = calls.map((call) => ledger.enter(call));
  await Promise.all(entries.map((entry) => entry.makeDurable()));
  const other = await postgres.open();
  await Promise.all([recoveryOf(other).recover(), ...entries.slice(0, 50).map((entry) => entry.settle(ending()))]);
  await Promise.all(entries.slice(50).map((entry) => entry.settle(ending())));
  await recoveryOf(other).recover();
  expect(await counts()).toEqual({ intents: 0, rows: 100, interrupted: 0 });
  await close();
});

test('instances are forgotten a day after their last word, and not before their calls are settled', async () => {
  const live = newId();
  await writeBeat(database, live);
  await leaveIntents(0, 3_600);
  await leaveIntents(3, 90_000);
  await leaveIntents(0, 90_000);
  const recovery = recoveryOf(database, live);
  expect(await recovery.recover()).toBe(3);
  const left = await postgres.asSuperuser<{ id: string }>(`select id from holdfast.instances where seen_at < now() - interval '1 day'`);
  expect(left).toEqual([]);
  expect(await postgres.asSuperuser('select id from holdfast.instances')).toHaveLength(2);
});

test('instances count as alive for as long as their calls are theirs', async () => {
  expect(await countLiveInstances(database)).toBe(0);
  await writeBeat(database, newId());
  await leaveIntents(1, 50);
  await leaveIntents(1, 61);
  expect(await countLiveInstances(database)).toBe(2);
});

import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isHoldfastError } from '@holdfast/kit/errors';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  CallLedger,
  createLedgerWriter,
  createCostSums,
  createRecovery,
  createSpillTarget,
  InstanceLease,
  LedgerSpill,
  spillBegan,
  spillEmptied,
  spillRefusing,
  writeBeat,
} from '../../src/features/costs/index.ts';
import { ledgerTypes } from '../../src/features/costs/ledger-store.ts';
import { intentBytes, rowBytes } from '../../src/features/costs/ledger-row.ts';
import { encodeSpilled } from '../../src/features/costs/spilled-write.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { Spill } from '../../src/platform/spill/index.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createReferences } from '../support/personal-references.ts';
import { ending, hurriedClock, modelCall, newId } from './fixture.ts';

let postgres: TestDatabase;
let direct: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
  direct = await postgres.open();
});
afterAll(() => postgres.stop());

let proxy: DatabaseProxy;
let database: Database;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-ledger-spill-'));
  proxy = await startDatabaseProxy(postgres.target);
  database = await postgres.open({ target: proxy.target });
  return async () => {
    await database.close();
    await proxy.stop();
    await rm(folder, { recursive: true, force: true });
  };
});

const rowsOf = async (...ids: string[]) =>
  postgres.asSuperuser<{ id: string; outcome: string; completion_tokens: string | null }>(
    'select id, outcome, completion_tokens from holdfast.calls where id = any($1::uuid[]) order by array_position($1::uuid[], id)',
    [ids],
  );
/** The audit events of calls, as they wait for their places. */
const eventsOf = async (...ids: string[]) =>
  (
    await postgres.asSuperuser<{ id: string; body: string }>(
      `select id, body from holdfast.audit_inbox where id = any($1::uuid[]) or body::json -> 'details' ->> 'supersedes' = any($1::uuid[]::text[]) order by seq`,
      [ids],
    )
  ).map(({ id, body }) => ({ ...(JSON.parse(body) as { outcome: string; details: Record<string, unknown> }), id }));
const references = createReferences();
const outcomesOf = async (...ids: string[]) => (await rowsOf(...ids)).map(({ outcome }) => outcome);

/** Twenty times as fast, so that patience ends soon. */
const clock = hurriedClock(20);

const openSpill = (maxBytes = 1_000_000) =>
  Spill.open({ folder, keyOf: (version) => Buffer.alloc(32, version), keyVersion: 1, random: systemRandom, maxBytes });

/** One instance: the ledger as the server has it, with a spill, behind the proxy. */
async function openInstance(given: { readonly maxBytes?: number; readonly spendOnDisk?: boolean } = {}) {
  const maxBytes = given.maxBytes ?? 1_000_000;
  const lease = new InstanceLease({ beat: (id) => writeBeat(database, id), newId, clock });
  await lease.start();
  const writer = createLedgerWriter(() => database.pool('writer'), clock);
  const refused: Buffer[] = [];
  const opened: { ledger?: CallLedger } = {};
  const spill = new LedgerSpill({
    spill: await openSpill(maxBytes),
    maxBytes,
    target: (onReplayed) =>
      createSpillTarget({
        pool: () => database.pool('jobs'),
        createId: newId,
        onReplayed,
        onRefused: async (record) => void refused.push(record),
      }),
    mayReplay: () => lease.valid && opened.ledger?.databaseAway !== true,
    clock,
  });
  const ledger = (opened.ledger = new CallLedger({
    ...{ write: (batch, again) => writer.write(batch, again), mayPass: isHoldfastError, references, lease, clock, spill },
    spendOnDisk: given.spendOnDisk ?? false,
  }));
  return {
    ledger,
    lease,
    spill,
    refused,
    /** Leaves everything as it is, as kill -9 does. */
    die() {
      lease.stop();
      writer.close();
    },
    async close() {
      await ledger.flush();
      await spill.close();
      writer.close();
      lease.stop();
    },
  };
}

/** What was announced while a test ran. */
function heard<Message extends object>(channel: { subscribe(listener: (message: Message) => void): () => void }): Message[] {
  const messages: Message[] = [];
  const stop = channel.subscribe((message) => messages.push(message));
  stops.push(stop);
  return messages;
}
const stops: (() => void)[] = [];
beforeEach(() => () => {
  for (const stop of stops.splice(0)) stop();
});

describe('while the database is away', () => {
  test('calls end, are kept on the disk, and are in the ledger once when it is back', async () => {
    const [began, emptied] = [heard(spillBegan), heard(spillEmptied)];
    const { ledger, spill, close } = await openInstance();
    const calls = Array.from({ length: 30 }, () => modelCall({ stream: true }));
    const [before, ...during] = calls;
    const running = ledger.enter(before!);
    await running.makeDurable();
    proxy.cut();
    await Promise.all(
      during.map(async (call, index) => {
        const entry = ledger.enter(call);
        if (index % 2 === 0) await entry.makeDurable();
        await entry.settle(ending());
      }),
    );
    await running.settle(ending());
    expect([spill.active, spill.empty, ledger.available]).toEqual([true, false, true]);
    expect(began).toHaveLength(1);
    proxy.restore();
    await expect.poll(() => spill.empty && !spill.active, { timeout: 5_000 }).toBe(true);
    expect(await outcomesOf(...calls.map(({ id }) => id))).toEqual(calls.map(() => 'completed'));
    expect(await readdir(folder)).toEqual([]);
    expect(await postgres.asSuperuser('select * from holdfast.spill_segments')).toEqual([]);
    expect(emptied).toMatchObject([{ rows: 30, superseded: 0, awayMs: expect.any(Number) }]);
    const events = await eventsOf(...calls.map(({ id }) => id));
    expect(events.map(({ id }) => id).sort()).toEqual(calls.map(({ id }) => id).sort());
    expect(events.every(({ outcome }) => outcome === 'success')).toBe(true);
    // And what comes now does not go by the disk.
    const after = modelCall();
    await ledger.enter(after).settle(ending());
    expect(await outcomesOf(after.id)).toEqual(['completed']);
    expect(began).toHaveLength(1);
    await close();
  });

  test('a database that falls silent holds those that find it out, and nobody after them', async () => {
    const { ledger, spill, close } = await openInstance();
    proxy.freeze();
    await ledger.enter(modelCall()).settle(ending());
    expect(spill.active).toBe(true);
    const call = modelCall();
    let ended = false;
    const settled = ledger
      .enter(call)
      .settle(ending())
      .then(() => (ended = true));
    // No timer runs for it: it is on the disk as soon as the disk has it.
    await settled;
    expect(ended).toBe(true);
    proxy.cut();
    proxy.restore();
    await expect.poll(() => spill.empty).toBe(true);
    expect(await outcomesOf(call.id)).toEqual(['completed']);
    await close();
  });

  test('beyond the bound no call is let in, those that run have their place, and all is well when the database is back', async () => {
    const refusing = heard(spillRefusing);
    const { ledger, spill, close } = await openInstance({ maxBytes: 64 * 1024 });
    proxy.cut();
    const ids: string[] = [];
    while (ledger.available && ids.length < 1_000) {
      const call = modelCall();
      ids.push(call.id);
      await ledger.enter(call).settle(ending());
    }
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.length).toBeLessThan(1_000);
    expect(spill.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(spill.refusing).toBe('full');
    expect(refusing).toMatchObject([{ reason: 'full', maxBytes: 64 * 1024 }]);
    proxy.restore();
    await expect.poll(() => spill.empty && ledger.available).toBe(true);
    expect(await outcomesOf(...ids)).toEqual(ids.map(() => 'completed'));
    await close();
  });

  test('calls that run together cannot take more room than there is', async () => {
    const { ledger, spill, close } = await openInstance({ maxBytes: 64 * 1024 });
    proxy.cut();
    await ledger.enter(modelCall()).settle(ending());
    const running = [];
    while (ledger.available) {
      const call = modelCall({ endUser: '模'.repeat(256), feature: '型'.repeat(256), model: '🦊'.repeat(128) });
      running.push({ call, entry: ledger.enter(call) });
    }
    expect(running.length).toBeGreaterThan(3);
    await Promise.all(
      running.map(async ({ entry }) => {
        await entry.makeDurable();
        await entry.settle(ending());
      }),
    );
    proxy.restore();
    await expect.poll(() => spill.empty).toBe(true);
    expect(await outcomesOf(...running.map(({ call }) => call.id))).toEqual(running.map(() => 'completed'));
    await close();
  });

  test('a disk that is lost withholds answers and lets no call in, until it is there again; what was withheld is recorded then', async () => {
    const refusing = heard(spillRefusing);
    const { ledger, spill, close } = await openInstance();
    proxy.cut();
    await rm(folder, { recursive: true });
    const withheld = modelCall();
    await expect(ledger.enter(withheld).settle(ending())).rejects.toMatchObject({ code: 'ledger_unavailable', retryAfterSeconds: 1 });
    expect([ledger.available, spill.refusing]).toEqual([false, 'disk']);
    expect(refusing).toMatchObject([{ reason: 'disk' }]);
    await mkdir(folder);
    await expect.poll(() => ledger.available).toBe(true);
    // Before any further call was let in: it is on the disk, whatever becomes of this process.
    expect(spill.empty).toBe(false);
    const call = modelCall();
    await ledger.enter(call).settle(ending());
    proxy.restore();
    await expect.poll(() => spill.empty).toBe(true);
    expect(await outcomesOf(withheld.id, call.id)).toEqual(['failed', 'completed']);
    expect(await eventsOf(withheld.id)).toMatchObject([{ outcome: 'failure', details: { code: 'ledger_unavailable' } }]);
    await close();
  });
});

test.each([false, true])('what a hard budget has not heard of is spent only where that is wanted (%s)', async (spendOnDisk) => {
  const { ledger, spill, close } = await openInstance({ spendOnDisk });
  const [before, during] = [modelCall(), modelCall()];
  for (const call of [before, during]) call.record.reservedNanoUsd = 1_000;
  const known = ledger.enter(before);
  await known.makeDurable();
  proxy.cut();
  const entry = ledger.enter(during);
  const intent = entry.makeDurable();
  if (spendOnDisk) await intent;
  else await expect(intent).rejects.toMatchObject({ code: 'budget_unavailable', retryAfterSeconds: 1 });
  // What was reserved where others know of it ends as ever.
  await Promise.all([known.settle(ending()), entry.settle(ending())]);
  proxy.restore();
  await expect.poll(() => spill.empty).toBe(true);
  await close();
});

describe('among several instances', () => {
  /** What another instance does once this one has been silent for too long. */
  async function othersSettle(): Promise<number> {
    await postgres.asSuperuser(`update holdfast.instances set seen_at = now() - interval '61 seconds'`);
    const other = newId();
    await writeBeat(direct, other);
    return createRecovery({ database: direct, instanceId: () => other, references, clock: systemClock }).recover();
  }

  test('what really became of a call takes the place of `interrupted`, and of nothing else', async () => {
    const { ledger, spill, close } = await openInstance();
    const [cut, whole] = [modelCall({ stream: true }), modelCall()];
    const entry = ledger.enter(cut);
    await entry.makeDurable();
    await ledger.enter(whole).settle(ending({ usage: undefined, outcome: 'failed' }));
    proxy.cut();
    await entry.settle(ending());
    expect(await othersSettle()).toBe(1);
    expect(await rowsOf(cut.id)).toMatchObject([{ outcome: 'interrupted', completion_tokens: null }]);
    const emptied = heard(spillEmptied);
    proxy.restore();
    await expect.poll(() => spill.empty).toBe(true);
    expect(await rowsOf(cut.id)).toMatchObject([{ outcome: 'completed', completion_tokens: '4' }]);
    expect(emptied).toMatchObject([{ rows: 1, superseded: 1 }]);
    // What the log has said stays said. What is true comes behind it, under an id of its own, and names it.
    const [first, second, ...more] = await eventsOf(cut.id);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ id: cut.id, outcome: 'interrupted' });
    expect(second).toMatchObject({ outcome: 'success', details: { supersedes: cut.id, completion_tokens: 4 } });
    expect(second!.id).not.toBe(cut.id);
    // The same record again, as after a replay whose answer was lost: neither this row nor the other one gives way.
    const again = rowBytes(cut, newId(), ending({ outcome: 'failed' }));
    const over = rowBytes(whole, newId(), ending());
    const target = createSpillTarget({ pool: () => direct.pool('jobs'), createId: newId, onRefused: async () => {} });
    await target.apply(
      'again',
      0,
      [again, over].map((bytes) => encodeSpilled([{ type: ledgerTypes.rows, bytes }])),
    );
    expect(await outcomesOf(cut.id, whole.id)).toEqual(['completed', 'failed']);
    expect(await eventsOf(cut.id, whole.id)).toHaveLength(3);
    await close();
  });

  test('sums by day and what is closed of budgets follow the row, and count the call once', async () => {
    const [organizationId, keyId, budgetId] = [newId(), newId(), newId()];
    const call = modelCall({ organizationId, keyId, stream: true });
    const { ledger, lease, spill, close } = await openInstance();
    const instanceId = lease.instanceId;
    call.record.reservedNanoUsd = 90_000;
    const entry = ledger.enter(call);
    await entry.makeDurable();
    proxy.cut();
    const alone = modelCall({ organizationId, keyId });
    await entry.settle(ending());
    await ledger.enter(alone).settle(ending({ costNanoUsd: 1_000 }));
    expect(await othersSettle()).toBe(1);
    // What was reserved for it is in the sums, and was closed with the slice of the dead.
    await postgres.asSuperuser(`insert into identity.organization (id, name, slug) values ($1, 'o', $2)`, [organizationId, organizationId]);
    await postgres.asSuperuser(
      `insert into holdfast.budgets (id, organization_id, name, subject, subject_ids, period, limit_nano, enforcement, created_at)
       values ($1, $2, 'b', 'key', array[$3]::uuid[], 'total', 1000000, 'hard', now() - interval '1 hour')`,
      [budgetId, organizationId, keyId],
    );
    await postgres.asSuperuser(
      `insert into holdfast.budget_windows (budget_id, organization_id, period_start, closed_nano) values ($1, $2, '2026-01-01', 90000)`,
      [budgetId, organizationId],
    );
    await postgres.asSuperuser(
      `insert into holdfast.budget_slices (budget_id, period_start, instance_id, organization_id, version, granted_nano, counted_from, closed)
       values ($1, '2026-01-01', $2, $3, 1, 0, now() - interval '1 hour', true)`,
      [budgetId, instanceId, organizationId],
    );
    const sums = createCostSums({ database: direct, clock: systemClock });
    await expect.poll(async () => (await sums.add()) && (await sumsOf(organizationId)).length > 0, { timeout: 5_000 }).toBe(true);
    expect(await sumsOf(organizationId)).toMatchObject([{ calls: 1, interrupted: 1, cost: 90_000, reserved: 90_000 }]);
    proxy.restore();
    await expect.poll(() => spill.empty).toBe(true);
    await expect.poll(async () => (await sums.add()) && (await totalOf(organizationId)).calls, { timeout: 5_000 }).toBe(2);
    expect(await totalOf(organizationId)).toEqual({ calls: 2, interrupted: 0, cost: 13_345, reserved: 0 });
    const [window] = await postgres.asSuperuser('select closed_nano::int as closed from holdfast.budget_windows where budget_id = $1', [
      budgetId,
    ]);
    expect(window).toEqual({ closed: 13_345 });
    await close();
  });

  const sumsOf = (organizationId: string) =>
    postgres.asSuperuser<Record<'calls' | 'interrupted' | 'cost' | 'reserved', number>>(
      `select calls::int, interrupted_calls::int as interrupted, cost_nano_usd::int as cost, reserved_nano_usd::int as reserved
       from holdfast.cost_days where organization_id = $1`,
      [organizationId],
    );
  const totalOf = async (organizationId: string) => {
    const total = { calls: 0, interrupted: 0, cost: 0, reserved: 0 };
    for (const day of await sumsOf(organizationId))
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += day[name];
    return total;
  };

  test('whoever was away for longer than a lease gives every answer all the same, and each is recorded under the name that was in force', async () => {
    const { ledger, lease, spill, close } = await openInstance();
    const began = lease.instanceId;
    const [old, young] = [modelCall({ stream: true }), modelCall({ stream: true })];
    const oldEntry = ledger.enter(old);
    await oldEntry.makeDurable();
    proxy.cut();
    await ledger.enter(modelCall()).settle(ending());
    await expect.poll(() => lease.instanceId !== began, { timeout: 5_000 }).toBe(true);
    const away = lease.instanceId;
    const youngEntry = ledger.enter(young);
    await youngEntry.makeDurable();
    await othersSettle();
    // However often it tries to come back it keeps the one new name, or the intents under it would be nobody's.
    proxy.restore();
    await expect.poll(() => spill.empty && lease.valid).toBe(true);
    expect(lease.instanceId).toBe(away);
    // The intent of the young one is home, and its call goes on: nobody may take it for one of the dead.
    expect(await othersAlive()).toBe(0);
    await Promise.all([oldEntry.settle(ending()), youngEntry.settle(ending())]);
    await expect.poll(() => spill.empty).toBe(true);
    expect(await outcomesOf(old.id, young.id)).toEqual(['completed', 'completed']);
    await close();
  });

  async function othersAlive(): Promise<number> {
    const other = newId();
    await writeBeat(direct, other);
    return createRecovery({ database: direct, instanceId: () => other, references, clock: systemClock }).recover();
  }
});

describe('a process that died', () => {
  test('the next one brings home what it kept, and settles what it left in the middle', async () => {
    const first = await openInstance();
    proxy.cut();
    const [whole, open] = [modelCall(), modelCall({ stream: true })];
    await first.ledger.enter(whole).settle(ending());
    await first.ledger.enter(open).makeDurable();
    first.die();
    proxy.restore();
    const second = await openInstance();
    await second.spill.replay();
    const recovery = createRecovery({ database, instanceId: () => second.lease.instanceId, references, clock: systemClock });
    await recovery.recover({ aloneOnDatabase: true });
    expect(await outcomesOf(whole.id, open.id)).toEqual(['completed', 'interrupted']);
    await second.close();
  });

  test('what is there when the server ends is brought home, or left for the next one, and nobody waits for a database that is away', async () => {
    const first = await openInstance();
    proxy.cut();
    const call = modelCall();
    await first.ledger.enter(call).settle(ending());
    await first.close();
    expect(await readdir(folder)).toHaveLength(1);
    proxy.restore();
    const second = await openInstance();
    await second.close();
    expect(await readdir(folder)).toEqual([]);
    expect(await outcomesOf(call.id)).toEqual(['completed']);
  });
});

test('a record that the database refuses is kept elsewhere, and keeps none beside it from its place', async () => {
  const refused: Buffer[] = [];
  const target = createSpillTarget({
    pool: () => direct.pool('jobs'),
    createId: newId,
    onRefused: async (record) => void refused.push(record),
  });
  const [good, bad, better] = [modelCall(), modelCall(), modelCall()];
  const row = (call: typeof good, outcome: 'completed') => rowBytes(call, newId(), ending({ outcome }));
  const records = [
    encodeSpilled([{ type: ledgerTypes.rows, bytes: row(good, 'completed') }]),
    encodeSpilled([{ type: ledgerTypes.rows, bytes: rowBytes(bad, newId(), ending({ outcome: 'no such outcome' as never })) }]),
    encodeSpilled([{ type: ledgerTypes.intents, bytes: intentBytes(better, newId()) }]),
    encodeSpilled([{ type: 'call_row_99', bytes: Buffer.from('of a version to come') }]),
    Buffer.from([9, 9, 9]),
    encodeSpilled([{ type: ledgerTypes.rows, bytes: row(better, 'completed') }]),
  ];
  await target.apply('poison', 0, records);
  expect(refused).toEqual([records[1], records[3], records[4]]);
  expect(await outcomesOf(good.id, bad.id, better.id)).toEqual(['completed', 'completed']);
  expect(await target.applied('poison')).toBe(6);
  // The intent came with its row: nothing is left to settle.
  await target.forget('poison');
  expect(await target.applied('poison')).toBe(0);
});

test('two processes that replay one file do not do it both', async () => {
  const target = createSpillTarget({ pool: () => direct.pool('jobs'), createId: newId, onRefused: async () => {} });
  const records = [encodeSpilled([{ type: ledgerTypes.rows, bytes: rowBytes(modelCall(), newId(), ending()) }])];
  const both = await Promise.allSettled([target.apply('shared', 0, records), target.apply('shared', 0, records)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(target.apply('shared', 5, records)).rejects.toMatchObject({ code: 'database_unavailable' });
});

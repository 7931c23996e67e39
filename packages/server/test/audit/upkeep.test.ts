import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditLeafText, hashLeaf, parseAuditLeaf, planInclusionProof, type LoggedAuditEvent } from '@holdfast/kit/audit';
import { openCheckpoint, openProof, verifyConsistency, verifyInclusion } from '@holdfast/kit/audit/verify';
import { createFakeClock } from '@holdfast/kit/testing';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { createLogReader, rotateLogKeys } from '../../src/features/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { advanceUntil, append, auditEvent, createId, createSequencer, keyRing, readLog, sequenceAll, verifyLog } from './fixture.ts';

let cluster: TestDatabase;
let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  cluster = await startTestDatabase();
});
beforeEach(async () => {
  postgres = await cluster.createDatabase();
  database = await postgres.open();
});
afterAll(() => cluster.stop());

const reader = (of = database) => createLogReader(of.query('operator'));
const events = (count: number, organization_id: string | null = null) =>
  Array.from({ length: count }, () => auditEvent({ organization_id }));
const keysOf = async () => (await reader().keys()).map(({ verifierKey }) => verifierKey);

describe('retention', () => {
  const organization = createId();

  /** 300 events a hundred days ago, 20 of today; the sequencer has looked after both. */
  async function afterHundredDays(): Promise<{ readonly old: readonly LoggedAuditEvent[]; readonly oldNote: string }> {
    await append(database, [...events(150, organization), ...events(150)]);
    await sequenceAll(database);
    const { leaves, note } = await readLog(postgres);
    await postgres.asSuperuser(`update holdfast.audit_checkpoints set at = at - interval '100 days'`);
    await postgres.asSuperuser(
      `insert into holdfast.audit_personal (ref, kind, tag, salt, sealed, created_at)
       values ('old', 'ip', decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), '\\x', now() - interval '100 days'), ('new', 'ip', decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), '\\x', now())`,
    );
    await append(database, events(20, organization));
    return { old: leaves.map(({ leaf }) => parseAuditLeaf(leaf)), oldNote: note! };
  }

  async function lookAfter(retentionDays: number, done: () => Promise<boolean>): Promise<void> {
    const clock = createFakeClock({ nowMs: Date.now() });
    const sequencer = createSequencer(database, { clock, retentionDays });
    sequencer.start();
    await advanceUntil(clock, done);
    await sequencer.stop();
  }

  test('removes what is old, says so in the log, and what is left is proved as before', async () => {
    const { old, oldNote } = await afterHundredDays();
    await lookAfter(90, async () => {
      const rows = await postgres.asSuperuser(
        'select from holdfast.audit_log where index < 300 union all select from holdfast.audit_inbox union all select from holdfast.audit_log having count(*) < 22',
      );
      return rows.length === 0;
    });
    await sequenceAll(database);

    const { leaves } = await readLog(postgres);
    expect(leaves.map(({ index }) => index)).toEqual(Array.from({ length: 22 }, (_, at) => 300 + at));
    const told = leaves.slice(20).map(({ leaf }) => parseAuditLeaf(leaf));
    expect(told).toEqual([
      expect.objectContaining({
        ...{ type: 'audit.events_removed', organization_id: organization, number: 171 },
        details: { retention_days: 90, from_number: 1, through_number: 150, events: 150 },
      }),
      expect.objectContaining({
        ...{ type: 'audit.events_removed', organization_id: null, number: 151 },
        details: { retention_days: 90, from_index: 0, end_index: 300, from_number: 1, through_number: 150, events: 150 },
      }),
    ]);
    expect(await postgres.asSuperuser('select removed_number::int as removed from holdfast.audit_series')).toEqual([
      { removed: 150 },
      { removed: 150 },
    ]);
    expect(await postgres.asSuperuser('select ref from holdfast.audit_personal')).toEqual([{ ref: 'new' }]);

    const keys = await keysOf();
    for (const { id, index } of leaves) expect((await openProof((await reader().proveEvent({ id }))!.file, keys)).index).toBe(index);
    const newest = await openCheckpoint((await reader().latestCheckpoint())!.note, keys);
    const oldest = await openCheckpoint(oldNote, keys);
    await verifyConsistency(oldest, newest, await reader().proveConsistency(oldest.size, newest.size));
    // Whoever has a copy of what was removed proves it still.
    const copy = old[77]!;
    expect(await reader().proveEvent({ id: copy.id })).toBeUndefined();
    const plan = planInclusionProof(77, newest.size);
    const { number, ...event } = copy;
    const hash = hashLeaf(Buffer.from(auditLeafText(event, number)));
    await verifyInclusion({ hash, index: 77, proof: plan.prove(await reader().readNodes(plan.nodes)) }, newest);
    expect(await reader().state()).toMatchObject({ firstIndex: 300, size: 322 });
  });

  test('removes nothing that is younger, nor anything when it is off, and keeps a checkpoint an hour', async () => {
    await append(database, events(3));
    await sequenceAll(database);
    await append(database, events(3));
    await sequenceAll(database);
    await append(database, events(1));
    await sequenceAll(database);
    await postgres.asSuperuser(
      `update holdfast.audit_checkpoints set at = date_trunc('hour', now()) - interval '80 days' + size * interval '1 second'`,
    );
    const sizes = async () =>
      (await postgres.asSuperuser<{ size: number }>('select size::int from holdfast.audit_checkpoints order by 1')).map(({ size }) => size);
    await lookAfter(90, async () => (await sizes()).length === 2);
    expect(await sizes()).toEqual([3, 7]);
    await postgres.asSuperuser(`update holdfast.audit_checkpoints set at = at - interval '1000 days' where size = 3`);
    await append(database, events(1));
    await lookAfter(0, async () => (await sizes()).includes(8));
    expect((await verifyLog(postgres)).size).toBe(8);
  });
});

describe('a rotation of the keys', () => {
  test('is an event of the log that the old keys sign last, so that whoever trusts them learns the new ones', async () => {
    const clock = createFakeClock();
    const sequencer = createSequencer(await postgres.open(), { clock });
    sequencer.start();
    await append(database, events(5));
    const sized = async (size: number) => (await reader().state()).size === size;
    await advanceUntil(clock, () => sized(5));
    const old = await keysOf();
    await append(database, events(1));

    const rotated = await rotateLogKeys({
      ...{ database, keyRing, clock: systemClock, random: systemRandom, createId },
      event: (details) => auditEvent({ type: 'audit.keys_rotated', resource: { type: 'audit_log' }, details: { ...details } }),
    });
    expect([rotated.retired, rotated.added.length]).toEqual([old, 2]);
    const handover = await openCheckpoint(rotated.checkpoint, old);
    expect(handover.verified).toEqual(old);
    expect((await openCheckpoint(rotated.checkpoint, rotated.added)).verified).toEqual(rotated.added);
    const proved = await reader().proveEvent({ index: handover.size - 1 });
    expect(parseAuditLeaf(proved!.leaf).details).toEqual({ retired: old, added: rotated.added });
    expect((await openProof(proved!.file, old)).checkpoint.verified).toEqual(old);

    // Whoever was elected finds that it is no more, and goes on with the new keys.
    await append(database, events(2));
    await advanceUntil(clock, () => sized(9));
    await sequencer.stop();
    const newest = await openCheckpoint((await reader().latestCheckpoint())!.note, rotated.added);
    expect(newest).toMatchObject({ size: 9, verified: rotated.added });
    await expect(openCheckpoint((await reader().latestCheckpoint())!.note, old)).rejects.toMatchObject({ finding: 'unsigned' });
    await verifyConsistency(handover, newest, await reader().proveConsistency(handover.size, newest.size));
    expect(
      await postgres.asSuperuser(
        'select from_size::int, to_size::int, sealed_private_key is null as forgotten from holdfast.audit_keys order by 1, kind',
      ),
    ).toEqual([
      { from_size: 0, to_size: 7, forgotten: true },
      { from_size: 0, to_size: 7, forgotten: true },
      { from_size: 7, to_size: null, forgotten: false },
      { from_size: 7, to_size: null, forgotten: false },
    ]);
  });

  test('that breaks off leaves everything as it was', async () => {
    await append(database, events(2));
    await sequenceAll(database);
    const before = await readLog(postgres);
    const broken = rotateLogKeys({
      ...{ database, keyRing, clock: systemClock, random: systemRandom, createId },
      event() {
        throw new Error('somebody pulled the plug');
      },
    });
    await expect(broken).rejects.toThrow('somebody pulled the plug');
    expect(await readLog(postgres)).toEqual(before);
    await append(database, events(1));
    await sequenceAll(database);
    expect((await verifyLog(postgres)).size).toBe(3);
  });
});

test('a dump that was restored has the same ids, bytes and proofs, and the log goes on in it', async () => {
  await append(database, [...events(200), ...events(100, createId())]);
  await sequenceAll(database);
  await append(database, events(2));
  const kept = await openCheckpoint((await reader().latestCheckpoint())!.note, await keysOf());
  const proof = (await reader().proveEvent({ index: 150 }))!.file;

  const copy = await cluster.createDatabase();
  const tables = ['inbox', 'log', 'nodes', 'state', 'series', 'checkpoints', 'keys'].map((name) => `holdfast.audit_${name}`);
  for (const table of tables) {
    // As text, which is what a dump is.
    const columns = (
      await postgres.asSuperuser<{ name: string }>(
        `select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped order by attnum`,
      )
    ).map(({ name }) => `"${name}"`);
    const rows = await postgres.asSuperuser<{ line: string }>(`select row(${columns.join(', ')})::${table}::text as line from ${table}`);
    await copy.asSuperuser(`delete from ${table}`);
    for (let at = 0; at < rows.length; at += 100) {
      await copy.asSuperuser(
        `insert into ${table} (${columns.join(', ')}) overriding system value select (line::${table}).* from unnest($1::text[]) as line`,
        [rows.slice(at, at + 100).map(({ line }) => line)],
      );
    }
  }
  await copy.asSuperuser(`select setval('holdfast.audit_inbox_seq_seq', (select max(seq) from holdfast.audit_inbox))`);

  const restored = await copy.open();
  await append(restored, events(1));
  await sequenceAll(restored);
  const keys = (await reader(restored).keys()).map(({ verifierKey }) => verifierKey);
  expect((await reader(restored).proveEvent({ index: 150 }))!.leaf).toBe(Buffer.from((await openProof(proof, keys)).leaf).toString());
  const { size, root } = await verifyLog(copy);
  expect(size).toBe(303);
  await verifyConsistency(kept, { origin: kept.origin, size, root }, await reader(restored).proveConsistency(kept.size, size));
});

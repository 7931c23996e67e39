import { generateKeyPairSync } from 'node:crypto';
import { openCheckpoint, type TreeHead } from '@holdfast/kit/audit/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyDatabase, type DatabaseReport } from '../../src/features/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { acme, other, plantLog, startMs, turns, type PlantedLog, type Planned } from './planted-log.ts';

// What somebody can do who holds the database, past everything of ours, and what `holdfast audit verify` says of it. Attacks on
// exports, which need no database, are in packages/kit/src/audit/verify/attacks.test.ts.

let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
});
afterAll(() => postgres.stop());

const thief = generateKeyPairSync('ed25519').privateKey;
const plant = (events: readonly Planned[] = turns(300)) => plantLog(postgres, events, { signedAt: [100, 200], key: thief });

async function verify(
  { verifierKeys }: PlantedLog,
  kept: readonly TreeHead[] = [],
): Promise<DatabaseReport & { readonly findings: string[] }> {
  const report = await verifyDatabase({
    database,
    verifierKeys,
    kept,
    reveal: () => undefined,
  });
  return { ...report, findings: [...report.log.faults.map(({ finding }) => finding), ...report.faults.map(({ finding }) => finding)] };
}
const sql = (statement: string, values?: readonly unknown[]) => postgres.asSuperuser(statement, values);
const keep = (log: PlantedLog, size: number) => openCheckpoint(log.checkpoints.get(size)!, log.verifierKeys);

test('an untouched log verifies, and what waits is counted', async () => {
  const log = await plant();
  await sql(
    `insert into holdfast.audit_inbox (id, organization_id, body) values (gen_random_uuid(), null, '{}'), (gen_random_uuid(), null, '{}')`,
  );
  const seen: number[] = [];
  const report = await verifyDatabase({
    ...{
      database,
      verifierKeys: log.verifierKeys,
      reveal: () => undefined,
    },
    onProgress: ({ events, of }) => seen.push(events / of),
  });
  expect(report).toMatchObject({ ok: true, unsequenced: 2, unsigned: 0, rejected: 0, faults: [], log: { events: 300, faults: [] } });
});

describe('found without anything kept', () => {
  test('a changed event', async () => {
    const log = await plant();
    await sql(`update holdfast.audit_log set leaf = replace(leaf, 'success', 'failure'), outcome = 'failure' where index = 210`);
    const report = await verify(log);
    expect(report.findings).toEqual(['tree_changed', 'nodes_mismatch']);
    expect(report.log.faults[0]).toMatchObject({
      index: 0,
      message: expect.stringMatching(/^leaves 0 to \d+ are not what was logged/) as unknown,
    });
  });

  test('a changed event whose column was left', async () => {
    const log = await plant();
    await sql(`update holdfast.audit_log set outcome = 'failure' where index = 290`);
    expect(await verify(log)).toMatchObject({ ok: false, findings: ['column_mismatch'], log: { ok: true } });
  });

  test.each([
    ['at', `at + interval '1 hour'`],
    ['user_id', 'gen_random_uuid()'],
    ['actor_id', `'somebody'`],
    ['resource_id', 'null'],
    ['request_id', `'another'`],
    ['type', `'key.revoked'`],
  ])('the column %s that queries would go by', async (column, value) => {
    const log = await plant(turns(5));
    await sql(`update holdfast.audit_log set ${column} = ${value} where index = 3`);
    const report = await verify(log);
    expect(report.faults).toEqual([
      { finding: 'column_mismatch', message: `the column "${column}" of event 3 says something else than the event` },
    ]);
  });

  test('a dropped event, by its number', async () => {
    const log = await plant();
    await sql(`delete from holdfast.audit_log where index = 290`);
    const { log: report } = await verify(log);
    expect(report.faults).toMatchObject([
      { finding: 'event_dropped', index: 290, message: 'leaves 290 to 290 are left out' },
      { finding: 'event_dropped', number: log.events[290]!.number },
    ]);
  });

  test('two events that changed places', async () => {
    const log = await plant();
    await sql(`update holdfast.audit_log set index = 9999 where index = 281`);
    await sql(`update holdfast.audit_log set index = 281 where index = 284`);
    await sql(`update holdfast.audit_log set index = 284 where index = 9999`);
    const { findings } = await verify(log);
    expect(findings).toContain('tree_changed');
    expect(findings).toContain('event_out_of_order');
  });

  test('an event that was put in at the end, before anybody signs', async () => {
    const log = await plant();
    await sql(`update holdfast.audit_log set leaf = replace(leaf, '"number":', '"number":1') where index = 299`);
    expect((await verify(log)).ok).toBe(false);
  });

  test('hashes that were changed so that no proof verifies', async () => {
    const log = await plant();
    await sql(
      `update holdfast.audit_nodes set hashes = set_byte(hashes, 100, (get_byte(hashes, 100) + 1) % 256) where level = 0 and index = 0`,
    );
    expect(await verify(log)).toMatchObject({ ok: false, findings: ['nodes_mismatch'], log: { ok: true } });
  });

  test('the beginning removed by somebody who is not retention', async () => {
    const log = await plant();
    await sql(`delete from holdfast.audit_log where index < 256`);
    await sql(`update holdfast.audit_state set first_index = 256`);
    const { findings } = await verify(log);
    expect(findings).toContain('state_mismatch');
  });

  test('a series that nobody knows', async () => {
    const log = await plant();
    await sql(`delete from holdfast.audit_series where organization_id = $1`, [other]);
    expect((await verify(log)).findings).toEqual(['state_mismatch']);
  });

  test('a replaced signing key', async () => {
    const { verifierKeys } = await plant();
    const forged = await plantLog(postgres, turns(300), { key: generateKeyPairSync('ed25519').privateKey });
    expect((await verify({ ...forged, verifierKeys })).findings).toEqual(['unsigned']);
  });

  test('a clock that was set back', async () => {
    const log = await plant(turns(20).map((event, at) => ({ ...event, atMs: startMs + at * 1_000 - (at >= 10 ? 86_400_000 : 0) })));
    const { log: report } = await verify(log);
    expect(report.faults).toMatchObject([{ finding: 'time_backwards', severity: 'warning', index: 10 }]);
  });
});

describe('found with a kept checkpoint, though database and key are the attacker’s', () => {
  test.each([
    ['an event changed, and everything made anew', (events: Planned[]) => events.with(50, { organization_id: acme, outcome: 'denied' })],
    ['an event dropped', (events: Planned[]) => events.toSpliced(50, 1)],
    ['an event put in', (events: Planned[]) => events.toSpliced(50, 0, { organization_id: acme })],
    ['events moved', (events: Planned[]) => events.with(50, events[51]!).with(51, events[50]!)],
    ['an old backup that went on since', (events: Planned[]) => [...events.slice(0, 60), ...turns(240)]],
  ])('%s', async (_name, rewrite) => {
    const kept = await keep(await plant(), 100);
    const forged = await plant(rewrite(turns(300)));
    expect((await verify(forged)).ok).toBe(true);
    expect((await verify(forged, [kept])).findings).toEqual(['consistency_invalid']);
  });

  test.each([
    ['the end cut off', 90],
    ['the whole log deleted', 0],
    ['an old backup put back', 50],
  ])('%s', async (_name, size) => {
    const kept = await keep(await plant(), 100);
    const forged = await plant(turns(size));
    expect((await verify(forged)).ok).toBe(true);
    expect((await verify(forged, [kept])).findings).toEqual(['rolled_back']);
  });

  test('the whole log deleted, with all that was signed', async () => {
    const log = await plant(turns(120));
    const kept = await keep(log, 100);
    await sql('truncate holdfast.audit_log, holdfast.audit_checkpoints, holdfast.audit_series, holdfast.audit_nodes');
    expect((await verify(log, [kept])).findings).toEqual(['rolled_back']);
  });

  test('a fork, and a split view', async () => {
    const toUs = await plant(turns(100));
    const kept = await keep(toUs, 100);
    const toThem = await plant(turns(100).with(99, { organization_id: other, outcome: 'failure' }));
    expect((await verify(toThem, [kept])).findings).toEqual(['forked']);
  });

  test('and the log that only grew is continued', async () => {
    const log = await plant();
    const kept = await Promise.all([100, 200, 300].map((size) => keep(log, size)));
    expect(await verify(log, kept)).toMatchObject({ ok: true, log: { keptChecked: [100, 200, 300] } });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashLeaf, type AuditEvent } from '@holdfast/kit/audit';
import { openCheckpoint, openProof, verifyConsistency, type OpenedCheckpoint } from '@holdfast/kit/audit/verify';
import { createLogReader } from '../../src/features/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { append, auditEvent, createId, sequenceAll, verifyLog } from './fixture.ts';

const organization = createId();
const other = createId();
/** Beyond one whole tile of tiles: 256 · 256 leaves would take seconds, so the levels above are tested in the kit. */
const batches = [1, 254, 1, 1, 255, 700];

let postgres: TestDatabase;
let database: Database;
let events: AuditEvent[];
let keys: string[];
const kept: OpenedCheckpoint[] = [];

beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  const reader = createLogReader(database.query('operator'));
  events = [];
  for (const count of batches) {
    const batch = Array.from({ length: count }, (_, at) => auditEvent({ organization_id: at % 2 === 0 ? organization : other }));
    events.push(...batch);
    await append(database, batch);
    await sequenceAll(database);
    keys = (await reader.keys()).map(({ verifierKey }) => verifierKey);
    kept.push(await openCheckpoint((await reader.latestCheckpoint())!.note, keys));
  }
});
afterAll(() => postgres.stop());

describe('proofs from the store', () => {
  test('of any event verify with the public keys alone', async () => {
    const reader = createLogReader(database.query('operator'));
    for (const index of [0, 1, 254, 255, 256, 257, 511, 512, 513, 1_023, 1_024, events.length - 1]) {
      const proved = await reader.proveEvent(index % 2 === 0 ? { id: events[index]!.id } : { index });
      expect(proved).toMatchObject({ index, id: events[index]!.id });
      const opened = await openProof(proved!.file, keys);
      expect(opened).toMatchObject({ index, checkpoint: { size: events.length } });
      expect(Buffer.from(opened.leaf).toString()).toBe(proved!.leaf);
    }
  });

  test('compare every checkpoint that somebody kept with every later one', async () => {
    const reader = createLogReader(database.query('operator'));
    for (const [at, older] of kept.entries())
      for (const newer of kept.slice(at)) await verifyConsistency(older, newer, await reader.proveConsistency(older.size, newer.size));
    const [first, , , last] = kept;
    await expect(verifyConsistency(first!, last!, await reader.proveConsistency(254, last!.size))).rejects.toMatchObject({
      finding: 'consistency_invalid',
    });
    await expect(reader.proveConsistency(1, events.length + 1)).rejects.toThrow(RangeError);
  });

  test('are given to an organization of its own events only', async () => {
    await database.withOrganization(organization, async (transaction) => {
      const reader = createLogReader(transaction);
      const own = await reader.proveEvent({ id: events[256]!.id });
      expect((await openProof(own!.file, keys)).index).toBe(256);
      const foreign = events.find((event) => event.organization_id === other)!;
      expect(await reader.proveEvent({ id: foreign.id })).toBeUndefined();
    });
  });

  test('have the nodes that are asked for, and none that the log has not', async () => {
    const reader = createLogReader(database.query('operator'));
    const { leaves } = await verifyLog(postgres);
    const [leaf, tile] = await reader.readNodes([
      { level: 0, index: 700 },
      { level: 8, index: 2 },
    ]);
    expect(leaf).toEqual(hashLeaf(Buffer.from(leaves[700]!.leaf)));
    expect(tile).toHaveLength(32);
    await expect(reader.readNodes([{ level: 0, index: events.length }])).rejects.toThrow(RangeError);
  });

  test('go with what is known of the log, and the first checkpoint from a size on', async () => {
    const reader = createLogReader(database.query('operator'));
    expect(await reader.state()).toMatchObject({ size: events.length, firstIndex: 0 });
    expect(await reader.checkpointFrom(256)).toMatchObject({ size: 256 });
    expect(await reader.checkpointFrom(events.length + 1)).toBeUndefined();
  });
});

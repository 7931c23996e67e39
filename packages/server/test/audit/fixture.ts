import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { auditEventText, type AuditEvent } from '@holdfast/kit/audit';
import { openCheckpoint, TreeHasher, type OpenedCheckpoint } from '@holdfast/kit/audit/verify';
import type { FakeClock } from '@holdfast/kit/testing';
import { createUuidV7, systemClock, systemRandom, type Clock } from '@holdfast/kit/time';
import {
  AuditSequencer,
  auditSequencerElected,
  auditSequencerEnded,
  openDatabaseSession,
  type SequencerOptions,
} from '../../src/features/audit/index.ts';
import { insertEvents, type WrittenEvent } from '../../src/platform/audit/index.ts';
import { createKeyRing } from '../../src/platform/keyring/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import type { TestDatabase } from '../support/postgres.ts';

export const createId = createUuidV7(systemClock, systemRandom);
export const keyRing = createKeyRing([{ version: 1, secret: Buffer.alloc(32, 7) }]);

export function auditEvent(members: Partial<AuditEvent> = {}): AuditEvent {
  return {
    v: 1,
    id: createId(),
    at: '2026-11-20T18:00:00.123Z',
    type: 'key.created',
    outcome: 'success',
    organization_id: null,
    actor: { type: 'key', id: createId() },
    resource: { type: 'api_key', id: createId() },
    ...members,
  };
}

export function written(event: AuditEvent): WrittenEvent {
  return { id: event.id, organizationId: event.organization_id, body: auditEventText(event), personal: [] };
}

/** Hands events to the log, as the writer does. */
export async function append(database: Pick<Database, 'query'>, events: readonly AuditEvent[]): Promise<void> {
  await database
    .query('writer')
    .transaction()
    .execute((transaction) => insertEvents(transaction, events.map(written)));
}

export interface SequencingOptions extends Partial<Pick<SequencerOptions, 'bufferSize' | 'breathe'>> {
  readonly clock?: Clock;
  readonly retentionDays?: number;
}

export function createSequencer(database: Pick<Database, 'pool' | 'query'>, options: SequencingOptions = {}): AuditSequencer {
  const { clock = systemClock, retentionDays = 90, bufferSize = 100, breathe = () => eventLoopTurn() } = options;
  return new AuditSequencer({
    ...{ createId, breathe, clock, bufferSize },
    openSession: () =>
      openDatabaseSession({ database, keyRing, clock, random: systemRandom, createId, retentionDays: () => retentionDays }),
  });
}

/** The next election in this process. */
export function election(): Promise<{ readonly epoch: number; readonly deposed: boolean }> {
  return new Promise((resolve) => {
    const end = auditSequencerElected.subscribe((message) => {
      end();
      resolve(message);
    });
  });
}

export function ending(): Promise<{ readonly reason: string; readonly error: unknown }> {
  return new Promise((resolve) => {
    const end = auditSequencerEnded.subscribe((message) => {
      end();
      resolve(message);
    });
  });
}

/** Gives everything that waits its place. */
export async function sequenceAll(database: Pick<Database, 'pool' | 'query'>, options?: SequencingOptions): Promise<void> {
  const sequencer = createSequencer(database, options);
  const failed = ending();
  const elected = election();
  sequencer.start();
  const first = await Promise.race([elected, failed]);
  await sequencer.stop();
  const error = 'reason' in first ? first.error : sequencer.state.error;
  if (error !== undefined) throw error as Error;
}

export interface StoredLeaf {
  readonly index: number;
  readonly id: string;
  readonly organization_id: string | null;
  readonly number: number;
  readonly leaf: string;
}

/** Past everything of ours: the leaves in order, and what was signed last. */
export async function readLog(postgres: TestDatabase) {
  const leaves = await postgres.asSuperuser<StoredLeaf & Record<string, unknown>>(
    'select index::float8 as index, id, organization_id, number::float8 as number, leaf from holdfast.audit_log order by index',
  );
  const [checkpoint] = await postgres.asSuperuser<{ note: string }>(
    'select note from holdfast.audit_checkpoints order by size desc limit 1',
  );
  const keys = await postgres.asSuperuser<{ verifier_key: string }>('select verifier_key from holdfast.audit_keys order by kind');
  return { leaves: leaves as StoredLeaf[], note: checkpoint?.note, verifierKeys: keys.map((key) => key.verifier_key) };
}

/** Computes the root over the stored leaves as a stranger would, and compares it with what was signed. */
export async function verifyLog(postgres: TestDatabase): Promise<OpenedCheckpoint & { readonly leaves: readonly StoredLeaf[] }> {
  const { leaves, note, verifierKeys } = await readLog(postgres);
  const hasher = new TreeHasher();
  for (const { leaf } of leaves) await hasher.append(Buffer.from(leaf));
  const checkpoint = await openCheckpoint(note!, verifierKeys);
  const root = Buffer.from(await hasher.root()).toString('hex');
  if (checkpoint.size !== leaves.length || Buffer.from(checkpoint.root).toString('hex') !== root) {
    throw new Error(`the log of ${leaves.length} leaves with the root ${root} is not what was signed`);
  }
  const numbers = new Map<string | null, number>();
  for (const { index, organization_id, number } of leaves) {
    const wanted = (numbers.get(organization_id) ?? 0) + 1;
    if (number !== wanted) throw new Error(`event ${index} has the number ${number} in its series, not ${wanted}`);
    numbers.set(organization_id, number);
  }
  return { ...checkpoint, leaves };
}

/** Lets a running sequencer go on, on its clock, until `done`. */
export async function advanceUntil(clock: FakeClock, done: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (await done()) return;
    await clock.advanceAsync(20);
  }
  throw new Error('what was waited for did not come');
}

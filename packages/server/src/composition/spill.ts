import { join } from 'node:path';
import { defineChannel } from '@holdfast/kit/events';
import { HoldfastError } from '@holdfast/kit/errors';
import type { CheckResult } from '@holdfast/kit/health';
import type { Metrics } from '@holdfast/kit/telemetry';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { createSpillTarget, LedgerSpill, spillKept, spillReplayed, type CallLedger } from '../features/costs/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import { lockFolder } from '../platform/postgres/embedded/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import { Spill, type SetAside } from '../platform/spill/index.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

/** A file of the spill that this process cannot bring home as a whole. */
export const spillSetAside = defineChannel<SetAside>('holdfast:spill:set-aside');

/** A record that the database refuses for good. */
export interface SpillRecordRefused {
  /** Where it is kept. */
  readonly folder: string;
  readonly error: unknown;
}
export const spillRecordRefused = defineChannel<SpillRecordRefused>('holdfast:spill:record-refused');

export interface LedgerSpillOpening {
  readonly configuration: Pick<Configuration, 'database' | 'server' | 'spill'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly database: Pick<Database, 'pool'>;
  readonly keyRing: KeyRing;
  /** The database was seen to answer since the last failure. */
  readonly mayReplay: () => boolean;
}

/** Records that the database refused; a bound beyond which something else is wrong. */
const maxRefusedBytes = 64 * 1024 * 1024;

/** Where calls are recorded while the database is away, with what an earlier process left there; undefined without a folder for it. */
export async function openLedgerSpill(options: LedgerSpillOpening): Promise<LedgerSpill | undefined> {
  const { configuration, clock, random, closers, database, keyRing, mayReplay } = options;
  const folder = spillFolderOf(configuration);
  if (folder === undefined) return undefined;
  const { maxBytes } = configuration.spill;
  const common = {
    keyOf: (version: number) => keyRing.derive('ledger/spill', version),
    keyVersion: keyRing.version,
    random,
    onSetAside: (found: SetAside) => spillSetAside.publish(found),
  };
  const spill = await Spill.open({ ...common, folder, maxBytes }).catch((cause: unknown) => {
    throw new HoldfastError('data_folder_unusable', {
      detail: `${folder}: the folder for calls while the database is away cannot be opened`,
      cause,
    });
  });
  // With the embedded database the data folder is locked already, and this folder need not be inside of it.
  const lock = lockFolder(folder);
  closers.add('lock of the spill', () => lock.release());

  let refused: Promise<Spill> | undefined;
  closers.add('refused records', async () => (await refused)?.close());
  const ofRefused = join(folder, 'refused');
  return new LedgerSpill({
    spill,
    maxBytes,
    target: (onReplayed) =>
      createSpillTarget({
        pool: () => database.pool('jobs'),
        createId: createUuidV7(clock, random),
        onReplayed,
        async onRefused(record, error) {
          const store = await (refused ??= Spill.open({ ...common, folder: ofRefused, maxBytes: maxRefusedBytes }));
          await store.append(record);
          spillRecordRefused.publish({ folder: ofRefused, error });
        },
      }),
    mayReplay,
    clock,
  });
}

/** Undefined where nothing is spilled. */
export function spillFolderOf({ database, server, spill }: LedgerSpillOpening['configuration']): string | undefined {
  if (spill.maxBytes === 0) return undefined;
  return spill.dir ?? (database.url === undefined ? join(server.dataDir, 'spill') : undefined);
}

/** How the ledger fares that has a disk to go on with: what makes an instance unready then, in place of its database. */
export function checkSpill(ledger: Pick<CallLedger, 'available'>, spill: LedgerSpill): CheckResult {
  const measurement = { name: 'used', value: spill.bytes, unit: 'bytes' };
  if (!ledger.available)
    return { status: 'unhealthy', message: 'calls can be recorded neither in the database nor on the disk', measurement };
  if (spill.active) return { status: 'degraded', message: 'the database is away: calls are recorded on the disk', measurement };
  if (!spill.empty) return { status: 'degraded', message: 'records wait to be brought to the database', measurement };
  return { status: 'healthy', message: 'empty', measurement };
}

export function measureSpill(metrics: Metrics, spill: LedgerSpill): () => void {
  metrics.addGauge(serverMetrics.spillActive, () => (spill.active ? 1 : 0));
  metrics.addGauge(serverMetrics.spillBytes, () => spill.bytes);
  metrics.addGauge(serverMetrics.spillMaxBytes, () => spill.maxBytes);
  const records = metrics.addCounter(serverMetrics.spillRecords);
  for (const outcome of ['kept', 'replayed', 'superseded', 'refused']) records.add(0, { outcome });
  const stops = [
    spillKept.subscribe((kept) => records.add(kept.records, { outcome: 'kept' })),
    spillReplayed.subscribe(({ rows, intents, events, superseded }) => {
      records.add(rows + intents + events, { outcome: 'replayed' });
      records.add(superseded, { outcome: 'superseded' });
    }),
    spillRecordRefused.subscribe(() => records.add(1, { outcome: 'refused' })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

import { isHoldfastError } from '@holdfast/kit/errors';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { CallLedger, createLedgerWriter, createRecovery, InstanceLease, writeBeat } from '../features/costs/index.ts';
import type { PersonalReferences } from '../platform/audit/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { openLedgerSpill } from './spill.ts';

export interface LedgerOptions {
  readonly configuration: Configuration;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  /** Whether no other instance can use this database: what it left unfinished is then settled at once. */
  readonly alone: boolean;
  /** False once the database is known to have ended for good: nobody needs to wait for it then. */
  readonly mayComeBack: () => boolean;
  /** What stands in audit events for personal data. */
  readonly references: PersonalReferences;
  /** A commit failed for want of the database. */
  readonly onAway: () => void;
}

/** The ledger under a lease, with what an earlier process left on the disk brought home and the calls of dead instances brought to their end. */
export async function openLedger(options: LedgerOptions): Promise<CallLedger> {
  const { database, clock, random, closers, alone, mayComeBack, references, onAway } = options;
  const lease = new InstanceLease({
    beat: (instanceId) => writeBeat(database, instanceId),
    newId: createUuidV7(clock, random),
    clock,
  });
  await lease.start();
  closers.add('lease', () => lease.stop());

  const opened: { ledger?: CallLedger } = {};
  // Not before the name is known to the database by which calls are begun now: their intents would be taken for those of a dead instance.
  const spill = await openLedgerSpill({
    ...options,
    mayReplay: () => mayComeBack() && lease.valid && opened.ledger?.databaseAway !== true,
  });
  // Before the calls of the dead are settled: what really became of them may be on this disk. What fails here is tried again, and put right then.
  if (spill?.empty === false) await spill.replay().catch((error: unknown) => spill.noteFailure(error));

  const recovery = createRecovery({ database, instanceId: () => lease.instanceId, references, clock });
  await recovery.recover({ aloneOnDatabase: alone });
  recovery.start();
  closers.add('recovery', () => recovery.stop());

  const writer = createLedgerWriter(() => database.pool('writer'), clock);
  closers.add('ledger connection', () => writer.close());
  closers.add('spill', () => spill?.close());
  const ledger = (opened.ledger = new CallLedger({
    write: (batch, again) => writer.write(batch, again),
    // What the database refuses outright stays refused; all else is a matter of time, or of the disk.
    mayPass: (error) => isHoldfastError(error) && (mayComeBack() || spill !== undefined),
    onAway,
    lease,
    references,
    clock,
    ...(spill && { spill }),
    spendOnDisk: options.configuration.budgets.whenDatabaseAway === 'allow',
  }));
  closers.add('ledger', () => ledger.flush());
  return ledger;
}

import { isHoldfastError } from '@holdfast/kit/errors';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import { CallLedger, createLedgerWriter, createRecovery, InstanceLease, writeBeat } from '../features/costs/index.ts';
import type { PersonalReferences } from '../platform/audit/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';

export interface LedgerOptions {
  readonly database: Database;
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

/** The ledger under a lease, with the calls of dead instances brought to their end. */
export async function openLedger({
  database,
  clock,
  random,
  closers,
  alone,
  mayComeBack,
  references,
  onAway,
}: LedgerOptions): Promise<CallLedger> {
  const lease = new InstanceLease({
    beat: (instanceId) => writeBeat(database, instanceId),
    newId: createUuidV7(clock, random),
    clock,
  });
  await lease.start();
  closers.add('lease', () => lease.stop());

  const recovery = createRecovery({ database, instanceId: () => lease.instanceId, references, clock });
  await recovery.recover({ aloneOnDatabase: alone });
  recovery.start();
  closers.add('recovery', () => recovery.stop());

  const writer = createLedgerWriter(() => database.pool('writer'), clock);
  closers.add('ledger connection', () => writer.close());
  const ledger = new CallLedger({
    write: (batch, again) => writer.write(batch, again),
    // What the database refuses outright stays refused; all else is a matter of time.
    mayPass: (error) => isHoldfastError(error) && mayComeBack(),
    onAway,
    lease,
    references,
    clock,
  });
  closers.add('ledger', () => ledger.flush());
  return ledger;
}

import type { SignedSize } from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import { withScope, type AuditScope, type ScopedDatabase } from './query/index.ts';
import { createLogReader } from './store/index.ts';

/** The last checkpoint. `resource_not_found` before the first. */
export async function lastCheckpoint(database: ScopedDatabase, scope: AuditScope): Promise<SignedSize> {
  const checkpoint = await withScope(database, scope, (transaction) => createLogReader(transaction).latestCheckpoint());
  if (checkpoint === undefined) {
    throw new HoldfastError('resource_not_found', {
      detail: 'the log has no checkpoint yet: the first comes with the first event, within seconds',
    });
  }
  return checkpoint;
}

/**
 * A `tlog-proof` file that the event with this id is in the log, with the event inside. `resource_not_found` when there is none in the scope, and
 * when no checkpoint speaks of it yet.
 */
export async function proveEvent(database: ScopedDatabase, scope: AuditScope, id: string): Promise<string> {
  try {
    const proved = await withScope(database, scope, (transaction) => createLogReader(transaction).proveEvent({ id }));
    if (proved !== undefined && (scope.organizationId === undefined || proved.organizationId === scope.organizationId)) return proved.file;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new HoldfastError('resource_not_found', { detail: 'no checkpoint speaks of this event yet: ask again in a second' });
  }
  throw new HoldfastError('resource_not_found');
}

/** That the log of `from` leaves is the beginning of that of `to`; of the last checkpoint, when that is left out. Hashes in base64. */
export async function proveConsistency(
  database: ScopedDatabase,
  scope: AuditScope,
  { from, to }: { readonly from: number; readonly to?: number | undefined },
): Promise<{ readonly from: number; readonly to: number; readonly proof: string[] }> {
  const { size } = await lastCheckpoint(database, scope);
  const newer = to ?? size;
  if (newer > size || from > newer) {
    throw new HoldfastError('invalid_request', {
      details: [{ field: newer > size ? 'to' : 'from', message: `must not be above ${newer > size ? size : newer}` }],
    });
  }
  const proof = await withScope(database, scope, (transaction) => createLogReader(transaction).proveConsistency(from, newer));
  return { from, to: newer, proof: proof.map((hash) => hash.toString('base64')) };
}

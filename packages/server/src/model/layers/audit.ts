import { toHoldfastError } from '@holdfast/kit/errors';
import type { CallLayer } from '../model-call.ts';
import type { CallAudit } from '../ports.ts';

/**
 * Tells of every call that was refused before the ledger had entered it, and has the refusal wait until that is durable. A call that the ledger
 * has has its event with its row.
 */
export function auditLayer(audit: CallAudit): CallLayer {
  return (next) => (call) =>
    next(call).then(undefined, async (thrown: unknown) => {
      if (call.record.settled === undefined) await audit.refused(call, toHoldfastError(thrown));
      throw thrown;
    });
}

import type { HoldfastError } from '@holdfast/kit/errors';
import type { CallAudit, ModelCall } from '../../model/index.ts';
import { Personal, type AuditTrail, type NewAuditEvent } from '../../platform/audit/index.ts';
import type { FloodGate } from './flood-gate.ts';

/** Refusals of one key for one reason that are told one by one in a minute. */
const toldOneByOne = 10;

/** Tells the audit log of calls that were refused before they had a row in the ledger. */
export function createRefusedCalls(audit: Pick<AuditTrail, 'record'>, gate: FloodGate): CallAudit {
  return {
    refused(call, error) {
      // Nothing can be recorded then; or the client left before anything was done, and nobody was refused.
      if (error.code === 'ledger_unavailable' || error.code === 'client_closed') return undefined;
      const event = refusedCallEvent(call, error);
      const source = `${call.context.principal.keyId} ${error.code}`;
      return gate.admit(source, toldOneByOne, event) ? audit.record(event) : undefined;
    },
  };
}

/** What a model is called that was found is known; what was asked for in vain is a text of the client. */
function refusedCallEvent(call: ModelCall, { code, status }: HoldfastError): NewAuditEvent {
  const { context, record, model, endUser, feature } = call;
  const { organizationId, keyId, userId } = context.principal;
  const known = record.route !== undefined && !model.includes('/');
  return {
    id: call.id,
    type: 'model.called',
    outcome: 'denied',
    organizationId,
    by: { actor: { type: 'key', id: keyId, userId }, requestId: context.requestId, address: context.address, userAgent: context.userAgent },
    resource: { type: 'model', id: known ? model : undefined },
    details: {
      operation: call.operation,
      dialect: call.dialect,
      outcome: 'refused',
      code,
      status,
      streamed: call.stream,
      model: known ? undefined : new Personal('text', model),
      end_user: endUser === undefined ? undefined : new Personal('end_user', endUser),
      feature: feature === undefined ? undefined : new Personal('text', feature),
    },
  };
}

import type { Ban } from '@holdfast/kit/security';
import { operatorAtTerminal, Personal, systemItself, type Initiator, type NewAuditEvent } from '../../platform/audit/index.ts';

/** Of a ban that is in force from now on. Whose addresses they are is personal: the range is only referred to, and names no resource. */
export function banAddedEvent(ban: Ban, by: Initiator | undefined): NewAuditEvent {
  return {
    type: 'ban.added',
    organizationId: null,
    by: by ?? initiatorOf(ban),
    details: {
      range: new Personal('ip', ban.range),
      reason: ban.reason,
      repeats: ban.repeats,
      ends_at: ban.endsAtMs === null ? undefined : new Date(ban.endsAtMs).toISOString(),
      note: ban.note === null ? undefined : new Personal('text', ban.note),
    },
  };
}

export function banLiftedEvent(ban: Ban, by: Initiator | undefined): NewAuditEvent {
  return { type: 'ban.lifted', organizationId: null, by: by ?? operatorAtTerminal, details: { range: new Personal('ip', ban.range) } };
}

function initiatorOf({ source, by }: Ban): Initiator {
  if (source === 'automatic') return systemItself;
  return by === null ? operatorAtTerminal : { actor: { type: 'key', id: by } };
}

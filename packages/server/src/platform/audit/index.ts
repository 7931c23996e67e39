export {
  auditName,
  auditText,
  operatorAtTerminal,
  Personal,
  systemItself,
  writeEvent,
  type AuditActor,
  type AuditDetail,
  type Initiator,
  type NewAuditEvent,
  type WrittenEvent,
} from './audit-event.ts';
export { auditEventBytes, auditEventType, auditPersonalType, personalRowBytes } from './event-bytes.ts';
export { auditEventDelayed, createAuditTrail, type AuditEventDelayed, type AuditTrail, type EventCommitter } from './audit-trail.ts';
export { insertEvents } from './insert-events.ts';
export { erasePersonalData, revealPersonalData, type PersonalData, type PersonalValue } from './personal-data.ts';
export { PersonalReferences, type PersonalKind, type PersonalReference, type PersonalRow } from './personal-references.ts';

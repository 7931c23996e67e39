export {
  auditName,
  auditText,
  Personal,
  writeEvent,
  type AuditActor,
  type AuditDetail,
  type Initiator,
  type NewAuditEvent,
  type WrittenEvent,
} from './audit-event.ts';
export { auditEventBytes, auditEventType, auditPersonalType, personalRowBytes } from './event-bytes.ts';
export { insertEvents } from './insert-events.ts';
export { PersonalReferences, type PersonalKind, type PersonalReference, type PersonalRow } from './personal-references.ts';

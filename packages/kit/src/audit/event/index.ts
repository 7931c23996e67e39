export {
  maxAuditEventBytes,
  type AuditActor,
  type AuditClient,
  type AuditEvent,
  type AuditOutcome,
  type AuditResource,
  type LoggedAuditEvent,
} from './audit-event.ts';
export { canonicalJson, type CanonicalValue } from './canonical-json.ts';
export { auditEventFault, isAuditEvent } from './check-event.ts';
export { auditEventText, auditLeafText, numberAuditEvent, parseAuditEvent, parseAuditLeaf, readAuditEvent } from './event-text.ts';

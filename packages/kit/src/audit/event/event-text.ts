import { maxAuditEventBytes, type AuditEvent, type LoggedAuditEvent } from './audit-event.ts';
import { canonicalJson, type CanonicalValue } from './canonical-json.ts';
import { auditEventFault, loggedAuditEventFault } from './check-event.ts';

/**
 * An event as it is handed to a log: canonical JSON, without a number. Throws a `TypeError` for what is no event, and a `RangeError` when it is
 * longer than `maxAuditEventBytes`.
 */
export function auditEventText(event: AuditEvent): string {
  const fault = auditEventFault(event);
  if (fault !== undefined) throw new TypeError(`this is no audit event: ${fault === '' ? 'it is no object' : `look at its "${fault}"`}`);
  const text = canonicalJson(event as unknown as CanonicalValue);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxAuditEventBytes) throw new RangeError(`an audit event has ${maxAuditEventBytes} bytes at most, not ${bytes}`);
  return text;
}

/** The other way round: for what somebody else wrote. Throws as `auditEventText` does, and a `SyntaxError` for what is no JSON. */
export function parseAuditEvent(text: string): AuditEvent {
  const event = JSON.parse(text) as AuditEvent;
  auditEventText(event);
  return event;
}

/** The leaf of the tree: the event with its number, as canonical JSON. `event` MUST be one that `auditEventText` takes. */
export function auditLeafText(event: AuditEvent, number: number): string {
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`events are numbered from 1, not ${number}`);
  return canonicalJson({ ...event, number } as unknown as CanonicalValue);
}

/**
 * Reads a leaf, and demands that it is written in the one way: throws a `TypeError` for another form, a `SyntaxError` for what is no JSON. To
 * verify a log, hash the leaf as it is; this is for who wants to know what it says.
 */
export function parseAuditLeaf(leaf: string): LoggedAuditEvent {
  const event = JSON.parse(leaf) as LoggedAuditEvent;
  const fault = loggedAuditEventFault(event);
  if (fault !== undefined)
    throw new TypeError(`this is no logged audit event: ${fault === '' ? 'it is no object' : `look at its "${fault}"`}`);
  if (canonicalJson(event as unknown as CanonicalValue) !== leaf)
    throw new TypeError('this audit event is not written in the canonical form');
  return event;
}

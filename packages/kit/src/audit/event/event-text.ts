import { maxAuditEventBytes, type AuditEvent, type LoggedAuditEvent } from './audit-event.ts';
import { canonicalJson, isCanonicalText, type CanonicalValue } from './canonical-json.ts';
import { auditEventFault, loggedAuditEventFault } from './check-event.ts';

/**
 * An event as it is handed to a log: canonical JSON, without a number. Throws a `TypeError` for what is no event, and a `RangeError` when it is
 * longer than `maxAuditEventBytes`.
 */
export function auditEventText(event: AuditEvent): string {
  return textOf(event, undefined);
}

/** `given` is what it was parsed from, where it was. */
function textOf(event: AuditEvent, given: string | undefined): string {
  const fault = auditEventFault(event);
  if (fault !== undefined) throw new TypeError(`this is no audit event: ${fault === '' ? 'it is no object' : `look at its "${fault}"`}`);
  const value = event as unknown as CanonicalValue;
  const text = given !== undefined && isCanonicalText(value, given) ? given : canonicalJson(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxAuditEventBytes) throw new RangeError(`an audit event has ${maxAuditEventBytes} bytes at most, not ${bytes}`);
  return text;
}

/** The other way round: for what somebody else wrote. Throws as `auditEventText` does, and a `SyntaxError` for what is no JSON. */
export function parseAuditEvent(text: string): AuditEvent {
  return readAuditEvent(text).event;
}

/** The same, with the text that `auditEventText` writes of it: cheaper than to write it, where it was read in that form. */
export function readAuditEvent(text: string): { readonly event: AuditEvent; readonly text: string } {
  const event = JSON.parse(text) as AuditEvent;
  return { event, text: textOf(event, text) };
}

/** The leaf of the tree: the event with its number, as canonical JSON. `event` MUST be one that `auditEventText` takes. */
export function auditLeafText(event: AuditEvent, number: number): string {
  return numberAuditEvent(canonicalJson(event as unknown as CanonicalValue), number);
}

/** Follows the number, by the order of names. Nothing behind it has a member of this name, and no string can hold it: quotes are escaped there. */
const behindNumber = ',"organization_id":';

/** The same leaf, of the text that `auditEventText` wrote. */
export function numberAuditEvent(text: string, number: number): string {
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`events are numbered from 1, not ${number}`);
  const at = text.lastIndexOf(behindNumber);
  return `${text.slice(0, at)},"number":${number}${text.slice(at)}`;
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

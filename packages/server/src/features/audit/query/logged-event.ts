import type { LoggedAuditEvent } from '@holdfast/kit/audit';

/** Reads a leaf for somebody who wants to see it, as it is: whether it is what it should be is asked by who verifies. */
export function loggedEventOf(leaf: string): LoggedAuditEvent {
  return JSON.parse(leaf) as LoggedAuditEvent;
}

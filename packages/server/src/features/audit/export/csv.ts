import type { LoggedAuditEvent } from '@holdfast/kit/audit';

export interface CsvEvent {
  readonly index: number;
  readonly event: LoggedAuditEvent;
  /** What a reference stands for, where that is told. */
  readonly reveal: (reference: string) => string | undefined;
}

const columns: readonly (readonly [title: string, value: (event: CsvEvent) => string | number | null | undefined])[] = [
  ['index', ({ index }) => index],
  ['number', ({ event }) => event.number],
  ['at', ({ event }) => event.at],
  ['type', ({ event }) => event.type],
  ['outcome', ({ event }) => event.outcome],
  ['organization_id', ({ event }) => event.organization_id],
  ['actor_type', ({ event }) => event.actor.type],
  ['actor_id', ({ event }) => event.actor.id],
  ['user_id', ({ event }) => event.actor.user_id],
  ['resource_type', ({ event }) => event.resource?.type],
  ['resource_id', ({ event }) => event.resource?.id],
  ['request_id', ({ event }) => event.request_id],
  ['ip', ({ event, reveal }) => known(event.client?.ip, reveal)],
  ['user_agent', ({ event, reveal }) => known(event.client?.user_agent, reveal)],
  ['details', ({ event }) => event.details && JSON.stringify(event.details)],
  ['id', ({ event }) => event.id],
];

/** The first line of the file. RFC 4180: commas, and lines that end with CR and LF. */
export const csvHeader = `${columns.map(([title]) => title).join(',')}\r\n`;

export function csvLine(event: CsvEvent): string {
  return `${columns.map(([, value]) => csvCell(value(event))).join(',')}\r\n`;
}

/**
 * A cell that no spreadsheet takes for a formula. Who calls the API chooses texts that end up here, and a cell that begins with one of these
 * signs is carried out when somebody else opens the file (https://owasp.org/www-community/attacks/CSV_Injection): those get an
 * apostrophe in front. A reader that wants the text exactly takes JSON Lines.
 */
export function csvCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  // Also behind spaces and other marks that programs cut off; full-width signs count for some of them.
  const text = /^[\s\u0000-\u0020\u00a0\ufeff]*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]/u.test(value) ? `'${value}` : value;
  return /[",\r\n;\t']/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

function known(reference: string | undefined, reveal: CsvEvent['reveal']): string | undefined {
  return reference === undefined ? undefined : (reveal(reference) ?? reference);
}

import type { AlertBook, AlertChanges } from '@holdfast/kit/alerts';
import { Personal, type Initiator, type NewAuditEvent } from '../../platform/audit/index.ts';

/** What a person changed in the book: that an alert was taken up, that a silence began or was ended. */
export function alertEvents(book: AlertBook, changes: AlertChanges, by: Initiator): NewAuditEvent[] {
  const common = { organizationId: null, by } as const;
  const acknowledged = changes.alerts.filter(
    ({ id, acknowledged: now }) => now !== null && book.alerts.find((alert) => alert.id === id)?.acknowledged === null,
  );
  return [
    ...acknowledged.map(({ id, acknowledged: said }): NewAuditEvent => ({
      ...common,
      type: 'alert.acknowledged',
      resource: { type: 'alert', id },
      details: { note: said?.note == null ? undefined : new Personal('text', said.note) },
    })),
    ...changes.silences.map(({ id, matchers, startsMs, endsMs, reason }): NewAuditEvent => {
      const resource = { type: 'silence', id };
      if (book.silences.some((silence) => silence.id === id)) return { ...common, type: 'alert.silence_ended', resource };
      return {
        ...common,
        type: 'alert.silenced',
        resource,
        details: {
          matchers: matchers.length,
          starts_at: new Date(startsMs).toISOString(),
          ends_at: new Date(endsMs).toISOString(),
          reason: new Personal('text', reason),
        },
      };
    }),
  ];
}

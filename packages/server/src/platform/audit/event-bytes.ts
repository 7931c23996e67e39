import { CompositeWriter } from '../postgres/index.ts';
import type { PersonalRow } from './personal-references.ts';

/** The types that events and references travel as in batches. Versions of the server that write other columns have types of their own. */
export const auditEventType = 'holdfast.audit_event_1';
export const auditPersonalType = 'holdfast.audit_personal_1';

const writer = new CompositeWriter();

/** A value of `holdfast.audit_event_1`. */
export function auditEventBytes(id: string, organizationId: string | null, body: string): Buffer {
  writer.begin().uuid(id);
  if (organizationId === null) writer.uuid(undefined);
  else writer.recurringUuid(organizationId);
  return writer.text(body).end();
}

/** A value of `holdfast.audit_personal_1`. */
export function personalRowBytes({ ref, organizationId, kind, tag, salt, sealed, createdAtMs }: PersonalRow): Buffer {
  return writer
    .begin()
    .text(ref)
    .uuid(organizationId ?? undefined)
    .text(kind)
    .bytea(tag)
    .bytea(salt)
    .bytea(sealed)
    .timestamptz(createdAtMs)
    .end();
}

import type { AuditEventName } from '@holdfast/contracts';
import { auditEventText, type CanonicalValue, type AuditOutcome } from '@holdfast/kit/audit';
import type { PersonalKind, PersonalReference, PersonalReferences } from './personal-references.ts';

/** Who did it. */
export interface AuditActor {
  /** `operator` is whoever has the machine, at its command line. */
  readonly type: 'key' | 'user' | 'operator' | 'system' | 'anonymous';
  readonly id?: string | undefined;
  /** The person behind a key. */
  readonly userId?: string | undefined;
}

/** Who asked for something, and from where: made once at the door, and handed down to whoever does it. */
export interface Initiator {
  readonly actor: AuditActor;
  readonly requestId?: string | undefined;
  /** Of the client, as far as proxies are trusted. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** At the command line. */
export const operatorAtTerminal: Initiator = Object.freeze({ actor: Object.freeze({ type: 'operator' as const }) });
/** Nobody asked for it. */
export const systemItself: Initiator = Object.freeze({ actor: Object.freeze({ type: 'system' as const }) });

/** A value of `details` that an event only refers to. */
export class Personal {
  readonly kind: PersonalKind;
  readonly value: string;

  constructor(kind: PersonalKind, value: string) {
    this.kind = kind;
    this.value = value;
  }
}

export type AuditDetail = CanonicalValue | Personal | undefined;

/** An event before it is written. */
export interface NewAuditEvent {
  readonly type: AuditEventName;
  readonly outcome?: AuditOutcome;
  /** Whose series it belongs to; null: the instance's own. */
  readonly organizationId: string | null;
  readonly by: Initiator;
  readonly resource?: { readonly type: string; readonly id: string | undefined } | undefined;
  readonly details?: Readonly<Record<string, AuditDetail>>;
  /** When it has one of its own, as a call has; else it is given one. */
  readonly id?: string;
  /** Milliseconds since the Unix epoch; now, when left out. */
  readonly atMs?: number;
}

/** An event as it is written: `body` is its canonical JSON but for the `number`, which it is given with its place. */
export interface WrittenEvent {
  readonly id: string;
  readonly organizationId: string | null;
  readonly body: string;
  /** What the body refers to. */
  readonly personal: readonly PersonalReference[];
}

/** Longest text in an event, in UTF-16 units. */
export const maxTextLength = 256;

/** A text that somebody else chose: bounded, and without what PostgreSQL or JSON cannot hold. */
export function auditText(text: string): string {
  return (text.length > maxTextLength ? text.slice(0, maxTextLength) : text).replaceAll('\0', '').toWellFormed();
}

/** The same for what names something, most of which is plain; undefined when nothing is left of it. */
export function auditName(text: string): string | undefined {
  if (text !== '' && text.length <= maxTextLength && plain.test(text)) return text;
  const name = auditText(text).replaceAll(controls, '');
  return name === '' ? undefined : name;
}

/** Printable ASCII. */
const plain = /^[ -~]*$/;
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** Gives an event its bytes. `makeReference` says whether references are shared with other events of the day. */
export function writeEvent(
  event: NewAuditEvent,
  { id, atMs, refer }: { readonly id: string; readonly atMs: number; readonly refer: ReferenceMaker },
): WrittenEvent {
  const personal: PersonalReference[] = [];
  const reference = (kind: PersonalKind, value: string): string => {
    const made = refer(event.organizationId, kind, value, atMs);
    personal.push(made);
    return made.ref;
  };
  const { actor, requestId, address, userAgent } = event.by;
  const body = auditEventText({
    v: 1,
    id,
    at: new Date(atMs).toISOString(),
    type: event.type,
    outcome: event.outcome ?? 'success',
    organization_id: event.organizationId,
    actor: {
      type: actor.type,
      ...(actor.id !== undefined && { id: actor.id }),
      ...(actor.userId !== undefined && { user_id: actor.userId }),
    },
    resource: event.resource ? named(event.resource) : null,
    ...optional('request_id', requestId === undefined ? undefined : auditName(requestId)),
    ...((address !== undefined || userAgent !== undefined) && {
      client: {
        ...(address !== undefined && { ip: reference('ip', address) }),
        ...(userAgent !== undefined && { user_agent: reference('user_agent', userAgent) }),
      },
    }),
    details: detailsOf(event.details ?? {}, reference),
  });
  return { id, organizationId: event.organizationId, body, personal };
}

function named({ type, id }: { readonly type: string; readonly id: string | undefined }) {
  return { type, ...optional('id', id === undefined ? undefined : auditName(id)) };
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [name in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: string });
}

export type ReferenceMaker = PersonalReferences['fresh'];

function detailsOf(
  details: Readonly<Record<string, AuditDetail>>,
  reference: (kind: PersonalKind, value: string) => string,
): Record<string, CanonicalValue | undefined> {
  const written: Record<string, CanonicalValue | undefined> = {};
  for (const [name, value] of Object.entries(details))
    written[name] = value instanceof Personal ? reference(value.kind, value.value) : cleaned(value);
  return written;
}

/** Texts at any depth as `auditText` has them. */
function cleaned(value: CanonicalValue | undefined): CanonicalValue | undefined {
  if (typeof value === 'string') return auditText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly CanonicalValue[]).map((each) => cleaned(each)!);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [auditText(name), cleaned(each as CanonicalValue | undefined)]));
}

import type { AuditEvent } from './audit-event.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const timestamp = /^(?:19[7-9]|[2-9]\d\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const typeName = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;
const word = /^[a-z][a-z0-9_]*$/;
/** No control characters: a database cannot keep every one, and a person who reads them cannot trust what is seen. */
const identifier = /^[^\u0000-\u001f\u007f-\u009f]{1,300}$/;
const reference = /^[A-Za-z0-9_-]{43}$/;

const outcomes: ReadonlySet<unknown> = new Set(['success', 'failure', 'denied', 'interrupted']);
const actorTypes: ReadonlySet<unknown> = new Set(['key', 'user', 'operator', 'system', 'anonymous']);
const maxNameLength = 64;

type Check = (value: unknown) => boolean;

const text =
  (pattern: RegExp, maxLength = Number.POSITIVE_INFINITY): Check =>
  (value) =>
    typeof value === 'string' && value.length <= maxLength && pattern.test(value);

const isUuid = text(uuid);
const isIdentifier = text(identifier);
const isReference = text(reference);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTimestamp(value: unknown): boolean {
  if (typeof value !== 'string' || !timestamp.test(value)) return false;
  const ms = Date.parse(value);
  // Of days that a month has not, the calendar makes others.
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value;
}

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

/** An object with these members and no others. */
function shape(members: Readonly<Record<string, Check>>): (value: unknown) => string | undefined {
  const entries = Object.entries(members);
  return (value) => {
    if (!isObject(value)) return '';
    for (const name in value) if (!Object.hasOwn(members, name)) return name;
    for (const [name, check] of entries) if (!check(value[name])) return name;
    return undefined;
  };
}

const hasShape = (members: Readonly<Record<string, Check>>): Check => {
  const faultOf = shape(members);
  return (value) => faultOf(value) === undefined;
};

const members: Readonly<Record<string, Check>> = {
  v: (value) => value === 1,
  id: isUuid,
  at: isTimestamp,
  type: text(typeName, maxNameLength),
  outcome: (value) => outcomes.has(value),
  organization_id: orNull(isUuid),
  actor: hasShape({ type: (value) => actorTypes.has(value), id: optional(isIdentifier), user_id: optional(isUuid) }),
  resource: orNull(hasShape({ type: text(word, maxNameLength), id: optional(isIdentifier) })),
  request_id: optional(isIdentifier),
  client: optional(hasShape({ ip: optional(isReference), user_agent: optional(isReference) })),
  details: optional(isObject),
};
const waiting = shape(members);
const logged = shape({ ...members, number: (value) => Number.isSafeInteger(value) && (value as number) > 0 });

/** The member of an event that is not as it has to be, or one that is too many; empty when it is no object at all, undefined when all is well. */
export function auditEventFault(value: unknown): string | undefined {
  return waiting(value);
}

/** The same for an event that has its number. */
export function loggedAuditEventFault(value: unknown): string | undefined {
  return logged(value);
}

export function isAuditEvent(value: unknown): value is AuditEvent {
  return waiting(value) === undefined;
}

import { findSensitive } from '../../privacy/index.ts';

/** W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/): who called, and in which trace. */
export interface TraceParent {
  readonly traceId: string;
  /** The caller's span. */
  readonly spanId: string;
  /** The caller keeps the trace. */
  readonly sampled: boolean;
}

const version00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** What a later version may look like: the same beginning, then anything after a dash. `ff` is no version. */
const laterVersion = /^(?!ff|00)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);

/** Longer ones are not looked at: one of a later version may be, one of today has 55 characters. */
const maxParentChars = 512;

/** Undefined for whatever is not exactly as the standard has it: upper case, zeroes, blanks, several headers in one. Never throws. */
export function parseTraceparent(header: unknown): TraceParent | undefined {
  if (typeof header !== 'string' || header.length < 55 || header.length > maxParentChars) return undefined;
  const match = version00.exec(header) ?? laterVersion.exec(header);
  if (match === null) return undefined;
  const [, traceId, spanId, flags] = match as unknown as readonly [string, string, string, string];
  if (traceId === noTrace || spanId === noSpan) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Proved by a check digit or an issuer's prefix: what only looks like a number of a telephone is some tracer's own. */
const surelySensitive = 0.9;

const maxStateChars = 512;
const maxMembers = 32;
/** Level 1 and 2: `vendor` or `tenant@vendor`, lower case; printable ASCII without comma and equals sign. */
const member =
  /^(?:[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}|[a-z0-9][a-z0-9_\-*/]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The list as it may be sent on, or undefined: a list that breaks the rules in one place is thrown away whole, as the standard says.
 * It is read only beside a `traceparent` that is valid.
 */
export function parseTracestate(header: unknown): string | undefined {
  if (typeof header !== 'string' || header.length > maxStateChars) return undefined;
  const kept: string[] = [];
  const keys = new Set<string>();
  for (const part of header.split(',')) {
    const text = part.replace(/^[ \t]+|[ \t]+$/g, '');
    if (text === '') continue;
    if (!member.test(text)) return undefined;
    const key = text.slice(0, text.indexOf('='));
    if (keys.has(key) || kept.length === maxMembers) return undefined;
    keys.add(key);
    kept.push(text);
  }
  const state = kept.join(',');
  // Whoever asks writes it, and every span carries it: a secret in it would stand in all of them, and go on to providers.
  return state === '' || findSensitive(state).some(({ confidence }) => confidence >= surelySensitive) ? undefined : state;
}

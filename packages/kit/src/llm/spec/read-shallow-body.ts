import { HoldfastError } from '../../errors/index.ts';
import type { ShallowBody } from './shallow-body.ts';

export interface ShallowBodyLimits {
  /** Deepest nesting of objects and arrays; default 64. */
  readonly maxDepth?: number;
  /**
   * Most objects, arrays and members together; default 200,000, a conversation of some twenty thousand messages. A body
   * of nothing but `{},` costs the parser and all who walk through it twenty times what its bytes do.
   */
  readonly maxParts?: number;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

/**
 * Reads a JSON object once: JSON.parse decides whether it is valid (and is faster than anything written here), and one
 * pass over the bytes finds where each top-level value lies, so that an edit can leave every other byte alone.
 * The pass comes first, because it bounds depth and number of parts before the parser builds anything.
 *
 * Two members of the same name are refused: parsers differ in which one they believe, and a policy that reads one while
 * the provider reads the other is no policy.
 *
 * Throws `invalid_json`, `body_too_deep`, `body_too_large` (too many parts), or `invalid_request` when the body is no object.
 */
export function readShallowBody(bytes: Buffer, limits: ShallowBodyLimits = {}): ShallowBody {
  const members = new Map<string, readonly [number, number]>();
  const twice = scanMembers(bytes, limits.maxDepth ?? 64, limits.maxParts ?? 200_000, members);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    // Not the parser's error, which quotes the body.
    throw new HoldfastError('invalid_json', { detail: `body of ${bytes.length} bytes does not parse` });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HoldfastError('invalid_request', { details: [{ field: '', message: 'must be a JSON object' }] });
  }
  if (twice !== undefined) throw new HoldfastError('invalid_request', { details: [{ field: twice, message: 'is given twice' }] });
  return { bytes, value: value as Record<string, unknown>, members };
}

/**
 * Returns the name of a member that is given twice. On input that is not JSON it may record and return nonsense:
 * JSON.parse refuses that input right after.
 */
function scanMembers(
  bytes: Buffer,
  maxDepth: number,
  maxParts: number,
  members: Map<string, readonly [number, number]>,
): string | undefined {
  const length = bytes.length;
  let depth = 0;
  let parts = 0;
  let name: string | undefined;
  let twice: string | undefined;
  let valueStart = -1;
  let index = 0;
  while (index < length) {
    const byte = bytes[index]!;
    if (byte === quote) {
      const start = index;
      index = endOfString(bytes, index + 1);
      if (depth === 1 && name === undefined) name = memberName(bytes, start, index);
      continue;
    }
    if (byte === openBrace || byte === openBracket) {
      if (++depth > maxDepth) throw new HoldfastError('body_too_deep', { detail: `nested deeper than ${maxDepth}` });
      if (++parts > maxParts) throw tooManyParts(maxParts);
    } else if (byte === colon) {
      if (++parts > maxParts) throw tooManyParts(maxParts);
      if (depth === 1 && valueStart < 0) valueStart = index + 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 1 && name !== undefined && valueStart >= 0 && !record(bytes, members, name, valueStart, index)) twice = name;
      depth--;
    } else if (depth === 1 && byte === comma) {
      if (name !== undefined && valueStart >= 0 && !record(bytes, members, name, valueStart, index)) twice = name;
      name = undefined;
      valueStart = -1;
    }
    index++;
  }
  return twice;
}

function tooManyParts(maxParts: number): HoldfastError {
  return new HoldfastError('body_too_large', {
    details: [{ field: '', message: `has more than ${maxParts} objects, arrays and members` }],
  });
}

/** Index behind the closing quote. `indexOf` runs in native code: a long message costs a few jumps, not a step a byte. */
function endOfString(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    at = bytes.indexOf(quote, at);
    if (at < 0) return bytes.length;
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === backslash && at - 1 - backslashes >= from) backslashes++;
    at++;
    if (backslashes % 2 === 0) return at;
  }
}

function memberName(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString('utf8', start + 1, end - 1);
  // An escaped name ("\u006dodel") is the same name to a parser: compare what it means, not how it is written.
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string;
  } catch {
    return raw;
  }
}

/** False when a member of that name is there already. */
function record(bytes: Buffer, members: Map<string, readonly [number, number]>, name: string, start: number, end: number): boolean {
  if (members.has(name)) return false;
  while (start < end && bytes[start]! <= 0x20) start++;
  while (end > start && bytes[end - 1]! <= 0x20) end--;
  members.set(name, [start, end]);
  return true;
}

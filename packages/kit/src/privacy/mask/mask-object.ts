import { isSecretName } from '../text/index.ts';
import { optionFault } from '../options.ts';

export interface ObjectBounds {
  /** Levels of objects. 8 by default. */
  readonly maxDepth?: number;
  /** Values in all. 10,000 by default. */
  readonly maxValues?: number;
  /** Of one string; a longer one is cut after it was masked, and short of its end. 65,536 by default. */
  readonly maxStringChars?: number;
}

export const objectBoundsDefaults: Readonly<Required<ObjectBounds>> = Object.freeze({
  maxDepth: 8,
  maxValues: 10_000,
  maxStringChars: 65_536,
});

/** Throws `configuration_invalid`. */
export function readObjectBounds(given: ObjectBounds): Required<ObjectBounds> {
  const bounds = { ...objectBoundsDefaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(objectBoundsDefaults, name))
      throw optionFault('a bound of maskObject', `one of ${Object.keys(objectBoundsDefaults).join(', ')}`, name);
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < 1) throw optionFault(name, 'a whole number from 1', value);
    bounds[name as keyof ObjectBounds] = value;
  }
  return bounds;
}

/** What no detector may be in the middle of where a text is cut. */
const cutMargin = 256;

interface Walk {
  readonly mask: (text: string) => string;
  readonly masksNames: boolean;
  readonly bounds: Required<ObjectBounds>;
  /** Objects that are being copied, from the root to here. */
  readonly path: Set<object>;
  values: number;
}

export function maskObject(value: unknown, mask: (text: string) => string, masksNames: boolean, bounds: Required<ObjectBounds>): unknown {
  return copy(value, { mask, masksNames, bounds, path: new Set(), values: 0 });
}

function copy(value: unknown, walk: Walk): unknown {
  if (++walk.values > walk.bounds.maxValues) return '[truncated]';
  switch (typeof value) {
    case 'string':
      return maskBounded(value, walk.mask, walk.bounds.maxStringChars);
    case 'bigint':
      return walk.mask(String(value));
    case 'number':
      return maskNumber(value, walk.mask);
    case 'symbol':
    case 'function':
      return `[${typeof value}]`;
    case 'object':
      return value === null ? null : copyObject(value, walk);
    default:
      return value;
  }
}

/** A card's number may be a number. Fractions and short ones are none of what has digits only. */
function maskNumber(value: number, mask: (text: string) => string): number | string {
  if (!Number.isSafeInteger(value) || value < 1e8) return value;
  const text = String(value);
  const masked = mask(text);
  return masked === text ? value : masked;
}

/** Masked before it is cut, and cut short of where the masking no longer saw what came after. */
export function maskBounded(text: string, mask: (text: string) => string, maxChars: number): string {
  if (text.length <= maxChars) return mask(text);
  const end = text.length <= maxChars + cutMargin ? text.length : maxChars + cutMargin;
  const masked = mask(text.slice(0, end));
  return `${masked.slice(0, Math.max(0, masked.length - 2 * cutMargin))}[truncated]`;
}

function copyObject(value: object, walk: Walk): unknown {
  if (walk.path.has(value)) return '[circular]';
  if (walk.path.size >= walk.bounds.maxDepth) return '[truncated]';
  walk.path.add(value);
  try {
    if (Array.isArray(value)) return copyList(value, walk);
    if (value instanceof Date) return new Date(value.getTime());
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[binary ${value.byteLength} bytes]`;
    if (value instanceof Map) return copyMap(value, walk);
    if (value instanceof Set) return copyList([...take(value.values(), walk)], walk);
    return copyMembers(value, walk);
  } catch {
    // A proxy or a getter that throws: what it would have said is not known, so nothing of it is shown.
    return '[unreadable]';
  } finally {
    walk.path.delete(value);
  }
}

function copyList(list: readonly unknown[], walk: Walk): unknown[] {
  const copied: unknown[] = [];
  for (let index = 0; index < list.length; index++) {
    if (walk.values >= walk.bounds.maxValues) {
      copied.push('[truncated]');
      break;
    }
    copied.push(copy(list[index], walk));
  }
  return copied;
}

function copyMap(map: ReadonlyMap<unknown, unknown>, walk: Walk): Map<unknown, unknown> {
  const copied = new Map<unknown, unknown>();
  for (const [key, member] of take(map.entries(), walk))
    copied.set(
      copy(key, walk),
      copyMember(key, () => member, walk),
    );
  return copied;
}

function* take<Item>(items: Iterable<Item>, walk: Walk): Generator<Item> {
  for (const item of items) {
    if (walk.values >= walk.bounds.maxValues) return;
    yield item;
  }
}

function copyMembers(value: object, walk: Walk): Record<string, unknown> {
  const copied: Record<string, unknown> = {};
  const source = value as Record<string, unknown>;
  const keys = Object.keys(source);
  // Those of an error are not enumerable, and what it is logged for.
  if (value instanceof Error)
    for (const key of ['name', 'message', 'stack', 'cause', 'errors']) if (key in value && !keys.includes(key)) keys.push(key);
  for (const key of keys) {
    if (walk.values >= walk.bounds.maxValues) {
      define(copied, '[truncated]', true);
      break;
    }
    define(
      copied,
      maskBounded(key, walk.mask, walk.bounds.maxStringChars),
      copyMember(key, () => source[key], walk),
    );
  }
  return copied;
}

function copyMember(key: unknown, read: () => unknown, walk: Walk): unknown {
  let member: unknown;
  try {
    member = read();
  } catch {
    walk.values++;
    return '[unreadable]';
  }
  if (typeof key !== 'string') return copy(member, walk);
  if (!walk.masksNames || !isSecretName(key))
    return speakingNames.test(key) && isShort(key, member) ? copyNamed(key, member, walk) : copy(member, walk);
  walk.values++;
  // That there is none is no secret, and often the reason for the line.
  return member === undefined || member === null || typeof member === 'boolean' || member === '' ? member : '[secret]';
}

/** Names without which their values are numbers like others. */
const speakingNames = /phone|mobile|tel|fax|ssn|social|card|whatsapp/i;

function isShort(key: string, member: unknown): member is string | number {
  return key.length < 40 && ((typeof member === 'string' && member.length < 200) || typeof member === 'number');
}

/** Masked together with its name, as the words before it. */
function copyNamed(key: string, member: string | number, walk: Walk): unknown {
  walk.values++;
  const prefix = `${key.replace(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/g, ' ')} `;
  const masked = walk.mask(prefix + String(member));
  if (masked === prefix + String(member)) return member;
  return masked.startsWith(prefix) ? masked.slice(prefix.length) : walk.mask(String(member));
}

/** Also `__proto__` becomes a member; a second key with the same masked text gets a number. */
function define(target: object, key: string, value: unknown): void {
  let free = key;
  for (let count = 2; Object.hasOwn(target, free); count++) free = `${key}#${count}`;
  Object.defineProperty(target, free, { value, enumerable: true, configurable: true, writable: true });
}

import { isObject, type JsonObject } from './guards.ts';

/** `JSON.rawJSON` and the reviver's third argument: in every Node we run on, not yet in the compiler's library. */
interface ExactJson {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}
const exact = JSON as unknown as ExactJson;

const longDigits = /[0-9]{16}/;
const longInteger = /^-?[0-9]{16,}$/;

/**
 * Parses JSON without losing digits of integers beyond 2^53: a tool that is called with an order number of 19 digits must
 * get those 19, though the arguments are an object in one dialect and a string in the other. Such integers become raw
 * JSON values, which `JSON.stringify` writes as they came. Throws SyntaxError.
 */
export function parseExact(text: string): unknown {
  if (!longDigits.test(text)) return JSON.parse(text);
  return exact.parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
    return longInteger.test(source) ? exact.rawJSON(source) : value;
  });
}

/** As deep as a client's body may nest. Text within a string is not bounded by the check of the body that holds it. */
const maxDepth = 64;

/**
 * The object that a text is; undefined when it is none, or nested deeper than 64 levels. Empty text is the empty object:
 * how some models call a tool without arguments.
 */
export function parseObject(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  if (isDeep(text)) return undefined;
  try {
    const value = parseExact(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The body, from its parsed value where that is exact. */
export function exactBody(bytes: Buffer, value: Readonly<JsonObject>): Readonly<JsonObject> {
  if (!longDigits.test(bytes.toString('latin1'))) return value;
  return parseExact(bytes.toString('utf8')) as JsonObject;
}

function isDeep(text: string): boolean {
  if (text.length <= maxDepth) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index++;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === '{' || character === '[') {
      if (++depth > maxDepth) return true;
    } else if (character === '}' || character === ']') {
      depth--;
    }
  }
  return false;
}

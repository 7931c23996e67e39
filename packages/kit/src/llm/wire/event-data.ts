const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const letterD = 0x64;
const letterE = 0x65;

export interface EventFields {
  /** The value of the `event` field; undefined when it has none. */
  name: string | undefined;
  /** The `data` lines joined; undefined for a comment or an event without data. */
  data: string | undefined;
}

/** Reads name and data of one whole event, by the rules of the HTML standard (§9.2.6) without `id` and `retry`. */
export function readEventFields(bytes: Buffer, start: number, end: number, into: EventFields): void {
  into.name = undefined;
  into.data = undefined;
  let at = start;
  while (at < end) {
    let lineEnd = bytes.indexOf(lineFeed, at);
    if (lineEnd < 0 || lineEnd >= end) lineEnd = end;
    const next = lineEnd + 1;
    if (bytes[lineEnd - 1] === carriageReturn) lineEnd--;
    const first = bytes[at];
    if (first === letterD && startsWith(bytes, at, lineEnd, 'data')) {
      const text = fieldValue(bytes, at + 4, lineEnd);
      into.data = into.data === undefined ? text : `${into.data}\n${text}`;
    } else if (first === letterE && startsWith(bytes, at, lineEnd, 'event')) {
      into.name = fieldValue(bytes, at + 5, lineEnd);
    }
    at = next;
  }
}

function startsWith(bytes: Buffer, at: number, lineEnd: number, field: string): boolean {
  const { length } = field;
  if (at + length > lineEnd) return false;
  for (let i = 1; i < length; i++) if (bytes[at + i] !== field.charCodeAt(i)) return false;
  return at + length === lineEnd || bytes[at + length] === 0x3a;
}

function fieldValue(bytes: Buffer, colonAt: number, lineEnd: number): string {
  let from = colonAt + 1;
  if (bytes[from] === space) from++;
  return from >= lineEnd ? '' : bytes.toString('utf8', from, lineEnd);
}

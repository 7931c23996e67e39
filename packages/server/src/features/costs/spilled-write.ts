import { personalRowBytes } from '../../platform/audit/index.ts';
import { ledgerTypes, type LedgerWrite } from './ledger-store.ts';

/*
 * A record of the spill is what has to get into the database together:
 *
 *   u8 form (1) · u8 values · for each: u8 length of the type's name · name · u32 length · bytes
 *
 * The name is that of the composite type in the database, since a version of the server that writes other columns must still bring home
 * what the one before it left on the disk.
 */

const form = 1;

/** The binary value of a composite type of the database. */
export interface SpilledValue {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What has to be kept of a write. */
export function spilledValues({ kind, bytes, event, personal }: LedgerWrite): SpilledValue[] {
  const values: SpilledValue[] = [{ type: ledgerTypes[`${kind}s`], bytes }];
  if (event !== undefined) values.push({ type: ledgerTypes.rowEvents, bytes: event });
  // Each with every event that refers to it: which of them is home first is not known.
  for (const { row } of personal ?? []) if (row !== undefined) values.push({ type: ledgerTypes.personal, bytes: personalRowBytes(row) });
  return values;
}

export function encodeSpilled(values: readonly SpilledValue[]): Buffer {
  let length = 2;
  for (const { type, bytes } of values) length += 5 + type.length + bytes.length;
  const record = Buffer.allocUnsafe(length);
  record[0] = form;
  record[1] = values.length;
  let at = 2;
  for (const { type, bytes } of values) {
    record[at] = type.length;
    at += 1 + record.write(type, at + 1, 'latin1');
    at = record.writeUInt32BE(bytes.length, at);
    at += bytes.copy(record, at);
  }
  return record;
}

/** Undefined for a form that this version does not know. */
export function decodeSpilled(record: Buffer): readonly SpilledValue[] | undefined {
  if (record.length < 2 || record[0] !== form) return undefined;
  const values: SpilledValue[] = [];
  let at = 2;
  for (let left = record[1]!; left > 0; left--) {
    const begin = at + 1 + (record[at] ?? 0) + 4;
    if (begin > record.length) return undefined;
    const end = begin + record.readUInt32BE(begin - 4);
    if (end > record.length) return undefined;
    values.push({ type: record.toString('latin1', at + 1, begin - 4), bytes: record.subarray(begin, end) });
    at = end;
  }
  return values;
}

/** One record by its parts. An event beside a row is that of its call. */
export interface SpilledRecord {
  readonly row: Buffer | undefined;
  readonly intent: Buffer | undefined;
  readonly event: Buffer | undefined;
  readonly personal: readonly Buffer[];
}

/** Throws `UnreadableRecord` for what this version does not know. */
export function readSpilled(record: Buffer): SpilledRecord {
  const values = decodeSpilled(record);
  if (values === undefined) throw new UnreadableRecord('a record of another form');
  const known: readonly string[] = Object.values(ledgerTypes);
  const unknown = values.find(({ type }) => !known.includes(type));
  if (unknown) throw new UnreadableRecord(`a value of the type ${unknown.type}`);
  const find = (wanted: string): Buffer | undefined => values.find(({ type }) => type === wanted)?.bytes;
  return {
    row: find(ledgerTypes.rows),
    intent: find(ledgerTypes.intents),
    event: find(ledgerTypes.events),
    personal: values.filter(({ type }) => type === ledgerTypes.personal).map(({ bytes }) => bytes),
  };
}

export class UnreadableRecord extends Error {
  constructor(what: string) {
    super(`the spill has ${what}, which this version does not know`);
    this.name = 'UnreadableRecord';
  }
}

/** The id in a value whose first field it is: behind the number of fields, and its own type and length. */
export function leadingId(bytes: Buffer): string {
  const hex = bytes.toString('hex', 12, 28);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

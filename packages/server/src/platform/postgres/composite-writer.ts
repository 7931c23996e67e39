/**
 * Type identifiers of PostgreSQL's built-in types, which are the same in every installation
 * (https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat).
 */
const oid = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, json: 114, float8: 701, timestamptz: 1184, uuid: 2950 } as const;

/** PostgreSQL counts from 2000-01-01T00:00:00Z; in milliseconds since the Unix epoch. */
const postgresEpochMs = 946_684_800_000;

const twoTo32 = 2 ** 32;
const nullLength = -1;

/** The value of a hexadecimal digit by its character code; more than 15 for every other. */
const digits = new Uint8Array(65_536).fill(255);
for (let value = 0; value < 16; value++) {
  digits[value.toString(16).charCodeAt(0)] = value;
  digits[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

const uuidLength = 36;
const dash = 45;
/** Where in the text of a UUID each of its bytes stands. */
const byteAt = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const dashAt = [8, 13, 18, 23] as const;

/** UUIDs whose bytes are kept, at some 150 bytes each. */
const maxKnownUuids = 10_000;

/**
 * Writes one value of a composite type in PostgreSQL's binary format (`record_recv` in its rowtypes.c): the number of
 * fields, then for each its type, its length in bytes, and its bytes. The fields MUST be written in the order and types
 * that the type was created with; the database checks both. For batches, that costs the database a third of JSON.
 *
 * One writer is used for one row after the other: `begin`, a call for every field, `end`, which hands out a copy.
 */
export class CompositeWriter {
  #buffer = Buffer.allocUnsafe(8_192);
  #at = 0;
  #fields = 0;
  readonly #knownUuids = new Map<string, Uint8Array>();

  begin(): this {
    this.#at = 4;
    this.#fields = 0;
    return this;
  }

  uuid(value: string | undefined): this {
    if (value === undefined) return this.#null(oid.uuid);
    this.#head(oid.uuid, 16);
    parseUuid(value, this.#buffer, this.#at);
    this.#at += 16;
    return this;
  }

  /** The same for one that comes again and again, such as that of an organization: it is not read anew each time. */
  recurringUuid(value: string): this {
    let bytes = this.#knownUuids.get(value);
    if (bytes === undefined) {
      bytes = new Uint8Array(16);
      parseUuid(value, bytes, 0);
      if (this.#knownUuids.size >= maxKnownUuids) this.#knownUuids.clear();
      this.#knownUuids.set(value, bytes);
    }
    this.#head(oid.uuid, 16);
    this.#buffer.set(bytes, this.#at);
    this.#at += 16;
    return this;
  }

  /** NUL, which PostgreSQL cannot store, MUST have been taken out; lone surrogates become U+FFFD. */
  text(value: string | undefined): this {
    return value === undefined ? this.#null(oid.text) : this.#string(oid.text, value);
  }

  bytea(value: Uint8Array): this {
    this.#head(oid.bytea, value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  json(text: string | undefined): this {
    return text === undefined ? this.#null(oid.json) : this.#string(oid.json, text);
  }

  bool(value: boolean): this {
    this.#head(oid.bool, 1);
    this.#buffer[this.#at++] = value ? 1 : 0;
    return this;
  }

  int4(value: number): this {
    this.#head(oid.int4, 4);
    this.#int32(value);
    return this;
  }

  /** A safe integer, or null. */
  int8(value: number | null): this {
    if (value === null) return this.#null(oid.int8);
    this.#head(oid.int8, 8);
    this.#int64(value);
    return this;
  }

  float8(value: number | undefined): this {
    if (value === undefined) return this.#null(oid.float8);
    this.#head(oid.float8, 8);
    this.#at = this.#buffer.writeDoubleBE(value, this.#at);
    return this;
  }

  /** Milliseconds since the Unix epoch, of which the whole ones are kept. */
  timestamptz(epochMs: number): this {
    this.#head(oid.timestamptz, 8);
    this.#int64((Math.floor(epochMs) - postgresEpochMs) * 1_000);
    return this;
  }

  /** The bytes of the value. */
  end(): Buffer {
    this.#buffer.writeInt32BE(this.#fields, 0);
    const bytes = Buffer.allocUnsafe(this.#at);
    this.#buffer.copy(bytes, 0, 0, this.#at);
    return bytes;
  }

  #string(type: number, value: string): this {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    this.#head(type, value.length * 3);
    const length = this.#buffer.write(value, this.#at, 'utf8');
    this.#buffer.writeInt32BE(length, this.#at - 4);
    this.#at += length;
    return this;
  }

  #null(type: number): this {
    this.#head(type, 0);
    this.#buffer.writeInt32BE(nullLength, this.#at - 4);
    return this;
  }

  /** Type and length of a field, and room for its bytes. */
  #head(type: number, length: number): void {
    this.#fields++;
    if (this.#at + 8 + length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe((this.#at + 8 + length) * 2);
      this.#buffer.copy(larger, 0, 0, this.#at);
      this.#buffer = larger;
    }
    this.#int32(type);
    this.#int32(length);
  }

  #int32(value: number): void {
    const buffer = this.#buffer;
    const at = this.#at;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
    this.#at = at + 4;
  }

  #int64(value: number): void {
    this.#int32(Math.floor(value / twoTo32));
    this.#int32(value >>> 0);
  }
}

function parseUuid(text: string, into: Uint8Array, at: number): void {
  let faulty = text.length === uuidLength ? 0 : 255;
  for (const index of dashAt) if (text.charCodeAt(index) !== dash) faulty = 255;
  for (let index = 0; index < 16; index++) {
    const from = byteAt[index]!;
    const high = digits[text.charCodeAt(from)]!;
    const low = digits[text.charCodeAt(from + 1)]!;
    faulty |= high | low;
    into[at + index] = (high << 4) | low;
  }
  if (faulty > 15) throw new TypeError('not a UUID');
}

/** Dimensions, flags, element type, and of the one dimension its length and where it begins: five numbers of four bytes. */
const arrayHeadLength = 20;

/** Bytes of an array of such values in binary form, to be written by `writeArray`. */
export function arrayLength(values: readonly Buffer[]): number {
  let length = arrayHeadLength;
  for (const value of values) length += 4 + value.length;
  return length;
}

/**
 * Writes an array of values that are in binary form, as `array_recv` in PostgreSQL's arrayfuncs.c reads it: one dimension, no
 * nulls, counted from 1. Returns where it ends.
 */
export function writeArray(bytes: Buffer, at: number, elementOid: number, values: readonly Buffer[]): number {
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt32BE(0, at);
  at = bytes.writeUInt32BE(elementOid, at);
  at = bytes.writeInt32BE(values.length, at);
  at = bytes.writeInt32BE(1, at);
  for (const value of values) {
    at = bytes.writeInt32BE(value.length, at);
    at += value.copy(bytes, at);
  }
  return at;
}

/** An array of composite values, as the binary form of a parameter `$1::type[]`. */
export function compositeArray(elementOid: number, values: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafe(arrayLength(values));
  writeArray(bytes, 0, elementOid, values);
  return bytes;
}

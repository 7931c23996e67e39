import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Random } from '@holdfast/kit/time';

/*
 * A segment is one file:
 *
 *   header   "HFSPILL1" · u32 version of the key · 16 bytes segment id · u32 CRC-32 of what is before it
 *   batches  "HFSB" · u32 number · u32 records · u32 bytes of the sealed part · u32 CRC-32 of these fields and the sealed part · sealed part
 *   sealed   AES-256-GCM of (u32 length · record)… , then its tag of 16 bytes
 *
 * Numbers are big-endian. A batch is written by one write and made durable by one sync, so that it is there as a whole or was never
 * promised to anybody. The CRC tells a batch that a crash tore from one that somebody changed: a torn one fails the CRC, a forged one the tag.
 */

const headerMagic = Buffer.from('HFSPILL1');
const batchMagic = Buffer.from('HFSB');
const idBytes = 16;
const tagBytes = 16;
export const headerBytes = headerMagic.length + 4 + idBytes + 4;
const batchHeaderBytes = batchMagic.length + 4 * 4;

/** What a segment begins with. */
export interface SegmentHeader {
  /** Of the master key, from which the key of the segment is derived. */
  readonly keyVersion: number;
  /** 16 random bytes. */
  readonly id: Buffer;
}

export interface SegmentContent {
  /** In the order in which they were promised, the batches one after the other. */
  readonly records: readonly Buffer[];
  /** Bytes up to the end of the last whole batch. */
  readonly goodBytes: number;
}

/** Not what a crash leaves: the file was changed, or the medium lost what it had confirmed. */
export class SegmentCorrupt extends Error {
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`${what}, at byte ${offset}`);
    this.name = 'SegmentCorrupt';
    this.offset = offset;
  }
}

/** `random` MUST be the system's: two segments of one id would use one key, and their nonces twice. */
export function createHeader(keyVersion: number, random: Random): SegmentHeader {
  return { keyVersion, id: Buffer.from(random.bytes(idBytes)) };
}

export function encodeHeader({ keyVersion, id }: SegmentHeader): Buffer {
  const bytes = Buffer.concat([headerMagic, uint32(keyVersion), id]);
  return Buffer.concat([bytes, uint32(crc32(bytes))]);
}

/** Undefined for a header that a crash tore: then nothing was ever promised of this file. */
export function decodeHeader(file: Buffer): SegmentHeader | undefined {
  if (file.length < headerBytes) return undefined;
  const end = headerBytes - 4;
  if (crc32(file.subarray(0, end)) !== file.readUInt32BE(end) || !file.subarray(0, headerMagic.length).equals(headerMagic)) {
    // Behind a torn header there is nothing. What follows a whole one was synced after it.
    if (findBatch(file, headerBytes, 0) !== undefined) throw new SegmentCorrupt('the header is not the one that was written', 0);
    return undefined;
  }
  return { keyVersion: file.readUInt32BE(headerMagic.length), id: Buffer.from(file.subarray(headerMagic.length + 4, end)) };
}

/** A key for one segment alone, so that numbers of batches can be nonces (NIST SP 800-38D: never one twice under a key). */
export function segmentKey(spillKey: Uint8Array, id: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', spillKey, id, 'holdfast/spill/segment', 32));
}

export function encodeBatch(key: Uint8Array, number: number, records: readonly Uint8Array[]): Buffer {
  const plain = Buffer.concat(records.flatMap((record) => [uint32(record.length), record]));
  const cipher = createCipheriv('aes-256-gcm', key, nonce(number));
  const fields = Buffer.concat([batchMagic, uint32(number), uint32(records.length), uint32(plain.length + tagBytes)]);
  cipher.setAAD(fields);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([fields, uint32(crc32(sealed, crc32(fields))), sealed]);
}

/**
 * Reads what a segment promised. The last batch may be torn, since a crash can come between write and sync: it is left out. Anything else that is
 * not as it was written throws `SegmentCorrupt`: to skip it would lose what somebody was told is kept.
 */
export function decodeSegment(file: Buffer, key: Uint8Array): SegmentContent {
  const records: Buffer[] = [];
  let at = headerBytes;
  for (let number = 0; at < file.length; number++) {
    const sealed = wholeBatch(file, at, number);
    if (sealed === undefined) {
      // Writes are in order and each is synced before the next: one that is whole behind this one proves that this was whole too.
      const later = findBatch(file, at, number);
      if (later !== undefined) throw new SegmentCorrupt(`a batch before a later one (at byte ${later}) is not whole`, at);
      break;
    }
    records.push(...openBatch(file.subarray(at, at + batchMagic.length + 12), sealed, key, number, at));
    at += batchHeaderBytes + sealed.length;
  }
  return { records, goodBytes: Math.min(at, file.length) };
}

/** What a damaged segment still proves of itself: every batch, wherever it stands, whose checksum and seal are right, in the order of their numbers. */
export function salvageSegment(
  file: Buffer,
  keyOf: (header: SegmentHeader) => Uint8Array,
): { readonly id: Buffer | undefined; readonly records: readonly Buffer[] } {
  if (file.length < headerBytes) return { id: undefined, records: [] };
  // Without a whole header its key is not known to be the right one; the seals of the batches say whether it is.
  const header: SegmentHeader = {
    keyVersion: file.readUInt32BE(headerMagic.length),
    id: Buffer.from(file.subarray(headerMagic.length + 4, headerBytes - 4)),
  };
  let key: Uint8Array;
  try {
    key = keyOf(header);
  } catch {
    return { id: undefined, records: [] };
  }
  const found = new Map<number, readonly Buffer[]>();
  let from = headerBytes;
  for (let at = file.indexOf(batchMagic, from); at >= 0 && at + batchHeaderBytes <= file.length; at = file.indexOf(batchMagic, from)) {
    const number = file.readUInt32BE(at + 4);
    const sealed = wholeBatch(file, at, number);
    from = at + 1;
    if (sealed === undefined) continue;
    try {
      found.set(number, openBatch(file.subarray(at, at + batchMagic.length + 12), sealed, key, number, at));
      from = at + batchHeaderBytes + sealed.length;
    } catch (error) {
      if (!(error instanceof SegmentCorrupt)) throw error;
    }
  }
  return { id: header.id, records: [...found].sort(([a], [b]) => a - b).flatMap(([, records]) => records) };
}

/** The sealed part of the batch at this place, or undefined when there is none that is whole. */
function wholeBatch(file: Buffer, at: number, number: number): Buffer | undefined {
  if (at + batchHeaderBytes > file.length || file.compare(batchMagic, 0, 4, at, at + 4) !== 0) return undefined;
  if (file.readUInt32BE(at + 4) !== number) return undefined;
  const begin = at + batchHeaderBytes;
  const end = begin + file.readUInt32BE(at + 12);
  if (end > file.length) return undefined;
  const sealed = file.subarray(begin, end);
  return crc32(sealed, crc32(file.subarray(at, at + 16))) === file.readUInt32BE(at + 16) ? sealed : undefined;
}

/** Where a whole batch of this number or a later one begins, from `from` on. */
function findBatch(file: Buffer, from: number, number: number): number | undefined {
  for (let at = file.indexOf(batchMagic, from); at >= 0; at = file.indexOf(batchMagic, at + 1)) {
    if (at + batchHeaderBytes > file.length) return undefined;
    const found = file.readUInt32BE(at + 4);
    if (found >= number && wholeBatch(file, at, found) !== undefined) return at;
  }
  return undefined;
}

function openBatch(fields: Buffer, sealed: Buffer, key: Uint8Array, number: number, at: number): Buffer[] {
  const end = sealed.length - tagBytes;
  if (end < 0) throw new SegmentCorrupt('a batch is too short', at);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(number));
  decipher.setAAD(fields);
  decipher.setAuthTag(sealed.subarray(end));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    throw new SegmentCorrupt('a batch was changed, or is of another key', at);
  }
  const records: Buffer[] = [];
  for (let from = 0; from < plain.length;) {
    const to = from + 4 + plain.readUInt32BE(from);
    records.push(plain.subarray(from + 4, to));
    from = to;
  }
  return records;
}

function nonce(number: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(number, 8);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

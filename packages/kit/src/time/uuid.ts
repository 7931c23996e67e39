import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits, so that ids of one table arrive in
 * index order. Random bytes are drawn 4 KiB at a time, because one call of the system's generator costs more than the id.
 */
export function createUuidV7(clock: Pick<Clock, 'now'>, random: Random): () => string {
  let pool: Buffer = Buffer.alloc(0);
  let offset = 0;
  return () => {
    if (offset + 10 > pool.length) {
      pool = random.bytes(4090);
      offset = 0;
    }
    const now = clock.now();
    const high = Math.floor(now / 0x1_0000);
    const low = now % 0x1_0000;
    const b = pool;
    const o = offset;
    offset += 10;
    return (
      hex[(high >>> 24) & 0xff]! +
      hex[(high >>> 16) & 0xff]! +
      hex[(high >>> 8) & 0xff]! +
      hex[high & 0xff]! +
      '-' +
      hex[low >>> 8]! +
      hex[low & 0xff]! +
      '-' +
      hex[0x70 | (b[o]! & 0x0f)]! +
      hex[b[o + 1]!]! +
      '-' +
      hex[0x80 | (b[o + 2]! & 0x3f)]! +
      hex[b[o + 3]!]! +
      '-' +
      hex[b[o + 4]!]! +
      hex[b[o + 5]!]! +
      hex[b[o + 6]!]! +
      hex[b[o + 7]!]! +
      hex[b[o + 8]!]! +
      hex[b[o + 9]!]!
    );
  };
}

/** The smallest UUIDv7 that could be made at this time (Unix milliseconds): bounds a range of ids by time. */
export function firstUuidV7At(unixMs: number): string {
  const time = Math.max(0, Math.floor(unixMs)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

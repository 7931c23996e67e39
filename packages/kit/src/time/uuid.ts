import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

const digits = Buffer.from('0123456789abcdef', 'latin1');
const dash = 0x2d;
const version = 0x37;

/**
 * UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits, so that ids of one table arrive in
 * index order. Random bytes are drawn 4 KiB at a time, because one call of the system's generator costs more than the id;
 * joining twenty short strings costs twice what it does to fill one buffer with their digits.
 */
export function createUuidV7(clock: Pick<Clock, 'now'>, random: Random): () => string {
  let pool: Buffer = Buffer.alloc(0);
  let offset = 0;
  let writtenMs = Number.NaN;
  const text = Buffer.alloc(36);
  for (const at of [8, 13, 18, 23]) text[at] = dash;
  text[14] = version;
  const put = (at: number, byte: number): void => {
    text[at] = digits[byte >> 4]!;
    text[at + 1] = digits[byte & 15]!;
  };
  return () => {
    if (offset + 10 > pool.length) {
      pool = random.bytes(4090);
      offset = 0;
    }
    const now = clock.now();
    if (now !== writtenMs) {
      writtenMs = now;
      const time = Math.floor(now).toString(16).padStart(12, '0');
      text.write(time.slice(0, 8), 0, 'latin1');
      text.write(time.slice(8), 9, 'latin1');
    }
    const b = pool;
    const o = offset;
    offset += 10;
    text[15] = digits[b[o]! & 15]!;
    put(16, b[o + 1]!);
    put(19, 0x80 | (b[o + 2]! & 0x3f));
    put(21, b[o + 3]!);
    for (let at = 4; at < 10; at++) put(16 + 2 * at, b[o + at]!);
    return text.toString('latin1');
  };
}

/** The smallest UUIDv7 that could be made at this time (Unix milliseconds): bounds a range of ids by time. */
export function firstUuidV7At(unixMs: number): string {
  const time = Math.max(0, Math.floor(unixMs)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

import { crc32 } from 'node:zlib';
import type { Random } from '@holdfast/kit/time';

/**
 * `hf_`, 160 random bits in 32 characters, 30 bits of CRC-32 in 6: 41 characters in all, of Crockford's base 32 in lower case
 * (no i, l, o, u, so that a key can be read aloud and never spells a word). Pattern for secret scanners:
 * `\bhf_[0-9a-hjkmnp-tv-z]{38}\b`. The checksum is no secret and proves nothing: it tells a key that was cut or mistyped, or
 * that belongs to somebody else, from ours without a look into the database.
 */
const prefix = 'hf_';
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const secretBytes = 20;
const bodyLength = (secretBytes * 8) / 5;
const checksumLength = 6;
export const keyLength = prefix.length + bodyLength + checksumLength;

const pattern = /^hf_[0-9a-hjkmnp-tv-z]{38}$/;
const shownLength = prefix.length + 6;

export function createKeySecret(random: Random): string {
  const head = prefix + encode(random.bytes(secretBytes));
  return head + checksum(head);
}

export function isWellFormedKey(secret: string): boolean {
  if (secret.length !== keyLength || !pattern.test(secret)) return false;
  const split = prefix.length + bodyLength;
  return secret.slice(split) === checksum(secret.slice(0, split));
}

/** What a list shows, so that a person finds the key again: of a key 30 of its 160 bits, of any other secret 4 characters. */
export function shownPrefix(secret: string): string {
  return secret.slice(0, isWellFormedKey(secret) ? shownLength : 4);
}

function checksum(head: string): string {
  const value = crc32(head) >>> 2;
  let text = '';
  for (let shift = 25; shift >= 0; shift -= 5) text += alphabet[(value >>> shift) & 31]!;
  return text;
}

/** Groups of 5 bytes are 8 characters exactly, so there is no padding. */
function encode(bytes: Buffer): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += 5) {
    let group = bytes.readUIntBE(offset, 5);
    let part = '';
    for (let digit = 0; digit < 8; digit += 1) {
      part = alphabet[group % 32]! + part;
      group = Math.floor(group / 32);
    }
    text += part;
  }
  return text;
}

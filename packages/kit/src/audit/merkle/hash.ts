import { hash } from 'node:crypto';

/** Length of every hash of the tree, in bytes: SHA-256. */
export const hashBytes = 32;

const empty = hash('sha256', '', 'buffer');

/** The root of a tree without leaves: the hash of nothing (RFC 6962, section 2.1). */
export const emptyRoot: Buffer = empty;

/** `SHA-256(0x00 || data)` (RFC 6962, section 2.1). */
export function hashLeaf(data: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(data.length + 1);
  input[0] = 0x00;
  input.set(data, 1);
  return hash('sha256', input, 'buffer');
}

// One at a time and nothing is awaited between filling and hashing: a buffer of its own for each pair would only be collected.
const pair = Buffer.alloc(1 + 2 * hashBytes);
pair[0] = 0x01;

/** `SHA-256(0x01 || left || right)` (RFC 6962, section 2.1). */
export function hashChildren(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + hashBytes);
  return hash('sha256', pair, 'buffer');
}

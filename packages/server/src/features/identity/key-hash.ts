import type { KeyRing } from '../../platform/keyring/index.ts';
import { createHmacSha256 } from './hmac-sha256.ts';

/** HMAC-SHA-256 of a key as 32 one-byte characters: a map finds it without turning bytes into text once more. */
export type KeyDigest = string;

export interface KeyHasher {
  /** The version of the ring that `current` hashes under. */
  readonly version: number;
  /** Under the newest version: what is stored for a new key, and what caches are keyed by. About 1 µs. */
  current(secret: string): KeyDigest;
  /** Under every version of the ring, newest first: what a stored key may be found by. */
  all(secret: string): readonly KeyDigest[];
}

/**
 * Keys carry 160 random bits, so they need no slow hash: a fast one under a key that is not in the database already makes a
 * stolen table useless. Digests are compared by lookup, not in constant time, and need not be: without the ring nobody
 * can choose the digest of what they send, so the time of a lookup tells nothing about the secret.
 */
export function createKeyHasher(ring: KeyRing): KeyHasher {
  const keys = ring.versions.map((version) => createHmacSha256(ring.derive('api-keys', version)));
  const newest = keys[0]!;
  return {
    version: ring.version,
    current: newest,
    all: (secret) => keys.map((digest) => digest(secret)),
  };
}

export function digestToBytes(digest: KeyDigest): Buffer {
  return Buffer.from(digest, 'latin1');
}

export function digestFromBytes(bytes: Buffer): KeyDigest {
  return bytes.toString('latin1');
}

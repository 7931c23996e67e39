import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { KeyRing } from '../../platform/keyring/index.ts';

/** HMAC-SHA-256 of a key as 32 one-byte characters: a map finds it without turning bytes into text once more. */
export type KeyDigest = string;

export interface KeyHasher {
  /** The version of the ring that `current` hashes under. */
  readonly version: number;
  /** Under the newest version: what is stored for a new key, and what caches are keyed by. About 2 µs. */
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
  const keys = ring.versions.map((version) => createSecretKey(ring.derive('api-keys', version)));
  const newest = keys[0]!;
  return {
    version: ring.version,
    current: (secret) => digestOf(newest, secret),
    all: (secret) => keys.map((key) => digestOf(key, secret)),
  };
}

export function digestToBytes(digest: KeyDigest): Buffer {
  return Buffer.from(digest, 'latin1');
}

export function digestFromBytes(bytes: Buffer): KeyDigest {
  return bytes.toString('latin1');
}

function digestOf(key: KeyObject, secret: string): KeyDigest {
  return createHmac('sha256', key).update(secret).digest('latin1');
}

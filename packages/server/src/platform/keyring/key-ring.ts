import { hkdfSync } from 'node:crypto';
import { HoldfastError } from '@holdfast/kit/errors';
import type { MasterKey } from './master-key.ts';

/** One root, many keys: nothing is ever encrypted or signed with the master key itself. */
export interface KeyRing {
  /** The version that new things are made with. */
  readonly version: number;
  /** Every version that still verifies, newest first. */
  readonly versions: readonly number[];
  /**
   * 32 bytes for one purpose (HKDF-SHA-256, RFC 5869), the same on every instance. Two purposes share nothing.
   * Computed once and kept; the caller gets a copy and may wipe it. A version that the ring has not is `master_key_unusable`.
   */
  derive(purpose: string, version?: number): Buffer;
}

const derivedBytes = 32;
/** Part of every derived key: changing it makes every stored hash unknown. */
const salt = 'holdfast.keyring.v1';
/** Purposes are written in the source, never taken from a request; the bound turns a mistake there into an error. */
const maxDerivedKeys = 1024;

/** @param masterKeys newest first, at least one */
export function createKeyRing(masterKeys: readonly MasterKey[]): KeyRing {
  const newest = masterKeys[0];
  if (newest === undefined) throw new HoldfastError('master_key_unusable', { detail: 'the key ring is empty' });
  const secrets = new Map(masterKeys.map((key) => [key.version, Buffer.from(key.secret)]));
  const derived = new Map<string, Buffer>();

  return Object.freeze({
    version: newest.version,
    versions: Object.freeze([...secrets.keys()].sort((a, b) => b - a)),
    derive(purpose: string, version: number = newest.version): Buffer {
      const name = `${version}/${purpose}`;
      let key = derived.get(name);
      if (key === undefined) {
        const secret = secrets.get(version);
        if (secret === undefined) {
          throw new HoldfastError('master_key_unusable', { detail: `the key ring has no version ${version}`, details: { version } });
        }
        if (derived.size >= maxDerivedKeys) {
          throw new HoldfastError('internal_error', { detail: 'too many purposes were derived from the key ring' });
        }
        key = Buffer.from(hkdfSync('sha256', secret, salt, `holdfast/${purpose}`, derivedBytes));
        derived.set(name, key);
      }
      return Buffer.from(key);
    },
  });
}

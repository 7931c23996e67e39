import { createHmac, timingSafeEqual } from 'node:crypto';
import { HoldfastError } from '@holdfast/kit/errors';
import type { KeyRing } from './key-ring.ts';

/** One value for each version of the master key that a database has seen: version → base64url. Tells nothing of the key. */
export type CheckValues = Readonly<Record<string, string>>;

/** Where the check values live: in the database whose hashes depend on the key. */
export interface CheckValueStore {
  /** undefined when no master key was ever used with this database. */
  read(): Promise<CheckValues | undefined>;
  /** Adds the versions that are not there, leaves the others alone, and returns all that are there then. */
  add(values: CheckValues): Promise<CheckValues>;
}

export function checkValues(ring: KeyRing): CheckValues {
  return Object.fromEntries(ring.versions.map((version) => [String(version), checkValue(ring, version)]));
}

/**
 * Refuses a ring that is not the one of the database, at start and with a reason, instead of letting every key be unknown.
 * A version that the database has and the ring has not is refused too: something stored may depend on it.
 */
export function verifyCheckValues(ring: KeyRing, stored: CheckValues, origin: string): void {
  for (const [name, expected] of Object.entries(stored)) {
    const version = Number(name);
    if (!ring.versions.includes(version)) {
      throw new HoldfastError('master_key_unusable', {
        detail: `${origin} lacks version ${name}, under which this database has stored hashes`,
        details: { source: origin, missing_version: version },
      });
    }
    if (!sameText(checkValue(ring, version), expected)) {
      throw new HoldfastError('master_key_unusable', {
        detail: `${origin} is not the master key of this database (version ${name} differs)`,
        details: { source: origin, wrong_version: version },
      });
    }
  }
}

function checkValue(ring: KeyRing, version: number): string {
  return createHmac('sha256', ring.derive('keyring.check', version)).update('holdfast master key').digest('base64url');
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

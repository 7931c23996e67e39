import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import { checkValues, verifyCheckValues, type CheckValueStore } from './check-value.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import { createMasterKeyFile, readMasterKeyFile } from './master-key-file.ts';
import { parseMasterKeys } from './master-key.ts';

export interface OpenKeyRingOptions {
  /** The text of HOLDFAST_MASTER_KEY or of the file that HOLDFAST_MASTER_KEY_FILE names, as configuration resolved it. */
  readonly masterKey: string | undefined;
  /**
   * Where the key is kept when none is configured, `<dataDir>/master-key`; made there on the first start.
   * undefined with DATABASE_URL: instances share that database, so the key must be given.
   */
  readonly keyFile: string | undefined;
  readonly checkValues: CheckValueStore;
  readonly random: Random;
}

/**
 * Opens the key ring and proves it against the database. MUST run after the migrations and before anything is hashed.
 * Throws `master_key_unusable` when the key is missing, malformed or another than the one this database was used with.
 */
export async function openKeyRing(options: OpenKeyRingOptions): Promise<KeyRing> {
  const stored = await options.checkValues.read();
  const { text, origin } = await readMasterKeyText(options, stored !== undefined);
  const ring = createKeyRing(parseMasterKeys(text, origin));
  if (stored !== undefined) verifyCheckValues(ring, stored, origin);
  const known = new Set(Object.keys(stored ?? {}));
  if (ring.versions.some((version) => !known.has(String(version)))) {
    // Two instances may start together with different keys: what is stored after the insert decides, not what was read before.
    verifyCheckValues(ring, await options.checkValues.add(checkValues(ring)), origin);
  }
  return ring;
}

async function readMasterKeyText(
  { masterKey, keyFile, random }: OpenKeyRingOptions,
  databaseHasKey: boolean,
): Promise<{ text: string; origin: string }> {
  if (masterKey !== undefined) return { text: masterKey, origin: 'HOLDFAST_MASTER_KEY' };
  if (keyFile === undefined) {
    throw new HoldfastError('master_key_unusable', {
      detail: 'no master key is configured, and with DATABASE_URL one must be, since instances share it',
      details: { source: 'HOLDFAST_MASTER_KEY', fault: 'is not set' },
    });
  }
  const text = await readMasterKeyFile(keyFile);
  if (text !== undefined) return { text, origin: keyFile };
  if (databaseHasKey) {
    // A new key would fit nothing that is stored; say that the file was lost rather than that a key is wrong.
    throw new HoldfastError('master_key_unusable', {
      detail: `${keyFile} is gone, and this database depends on the key in it: restore the file`,
      details: { source: keyFile, fault: 'is missing' },
    });
  }
  return { text: await createMasterKeyFile(keyFile, random), origin: keyFile };
}

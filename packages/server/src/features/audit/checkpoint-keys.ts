import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createCheckpointSigner, verifierKey, type CheckpointSigner, type KeyKind } from '@holdfast/kit/audit';
import type { Random } from '@holdfast/kit/time';
import { sealValue, unsealValue, type KeyRing } from '../../platform/keyring/index.ts';

/** A key that signs checkpoints, as it is stored. */
export interface SealedKey {
  /** Public: what verifiers are given. */
  readonly verifierKey: string;
  readonly kind: KeyKind;
  /** PKCS #8, sealed for its verifier key. */
  readonly sealed: Buffer;
}

export const keyKinds = ['ed25519', 'mlDsa44'] as const satisfies readonly KeyKind[];

const purpose = 'audit/checkpoint-keys';

/** Makes a key under the name of the log. Undefined when this Node has not the algorithm: ML-DSA-44 came with 24.7. */
export function generateSealedKey(kind: KeyKind, origin: string, keyRing: KeyRing, random: Random): SealedKey | undefined {
  const privateKey = generate(kind);
  if (privateKey === undefined) return undefined;
  const context = verifierKey(origin, privateKey);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  return { verifierKey: context, kind, sealed: sealValue(pkcs8, { keyRing, purpose, context, random }) };
}

/** Throws `master_key_unusable` when it was sealed under a master key that is not here. Undefined as above. */
export function openSigner(key: SealedKey, origin: string, keyRing: KeyRing): CheckpointSigner | undefined {
  const pkcs8 = unsealValue(key.sealed, { keyRing, purpose, context: key.verifierKey });
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } catch (error) {
    if (key.kind === 'mlDsa44' && generate('mlDsa44') === undefined) return undefined;
    throw error;
  }
  return createCheckpointSigner(origin, privateKey);
}

function generate(kind: KeyKind): KeyObject | undefined {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  try {
    return (generateKeyPairSync as unknown as (type: string) => { privateKey: KeyObject })('ml-dsa-44').privateKey;
  } catch {
    return undefined;
  }
}

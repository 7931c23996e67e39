import { createCipheriv, createDecipheriv } from 'node:crypto';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import type { KeyRing } from './key-ring.ts';

const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 4 + nonceBytes + tagBytes;

export interface SealOptions {
  readonly keyRing: KeyRing;
  /** What the derived key is for; written in the source. */
  readonly purpose: string;
  /** What the value belongs to, such as the key of its row: it opens there and nowhere else. */
  readonly context: string;
}

/**
 * Encrypts a value to be kept (AES-256-GCM): version of the master key in 4 bytes, nonce, tag, then as many bytes as the value has. Nonces are random,
 * so a purpose MUST NOT seal more than 2^32 values under one master key (NIST SP 800-38D, section 8.3).
 */
export function sealValue(value: Uint8Array, { keyRing, purpose, context, random }: SealOptions & { readonly random: Random }): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(keyRing.version);
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', keyRing.derive(purpose), nonce);
  cipher.setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([version, nonce, cipher.getAuthTag(), sealed]);
}

/** The other way round. Throws `master_key_unusable` when it was sealed by a key that is not here, for something else, or was changed. */
export function unsealValue(sealed: Buffer, { keyRing, purpose, context }: SealOptions): Buffer {
  if (sealed.length < headBytes) throw unusable('a sealed value is too short');
  const key = keyRing.derive(purpose, sealed.readUInt32BE(0));
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(4, 4 + nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(4 + nonceBytes, headBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]);
  } catch (error) {
    throw unusable(`a sealed value (${purpose}) does not open`, error);
  }
}

function unusable(detail: string, cause?: unknown): HoldfastError {
  return new HoldfastError('master_key_unusable', { detail, cause });
}

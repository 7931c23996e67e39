import { createPublicKey, hash, type KeyObject } from 'node:crypto';

/**
 * Kinds of signatures of a checkpoint, by the identifier byte of C2SP's signed-note: Ed25519 over the text, and ML-DSA-44
 * over what C2SP's tlog-cosignature fixes, which holds against quantum computers too.
 */
export const signatureType = { ed25519: 0x01, mlDsa44: 0x06 } as const;

export type KeyKind = keyof typeof signatureType;

/** Behind these, the SPKI of a public key ends with its raw bytes: 32 and 1,312 (RFC 8410; RFC 9881). */
const spkiPrefix: Readonly<Record<KeyKind, Buffer>> = {
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
  mlDsa44: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
};
const rawBytes: Readonly<Record<KeyKind, number>> = { ed25519: 32, mlDsa44: 1312 };

/** The kind of a key of `node:crypto`; throws a `TypeError` for one that signs no checkpoints. */
export function kindOf(key: KeyObject): KeyKind {
  const type = key.asymmetricKeyType as string | undefined;
  if (type === 'ed25519') return 'ed25519';
  if (type === 'ml-dsa-44') return 'mlDsa44';
  throw new TypeError(`a key of type ${type ?? key.type} signs no checkpoints: it takes ed25519 or ml-dsa-44`);
}

export function rawPublicKey(key: KeyObject): Buffer {
  const kind = kindOf(key);
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  return spki.subarray(spki.length - rawBytes[kind]);
}

/** The other way round. Throws a `TypeError` for another number of bytes. */
export function publicKeyOf(kind: KeyKind, raw: Uint8Array): KeyObject {
  if (raw.length !== rawBytes[kind]) throw new TypeError(`a public key of ${kind} has ${rawBytes[kind]} bytes, not ${raw.length}`);
  return createPublicKey({ key: Buffer.concat([spkiPrefix[kind], raw]), format: 'der', type: 'spki' });
}

/** `SHA-256(name || 0x0A || type || key)[:4]` (signed-note, "Signatures"). */
export function keyId(name: string, kind: KeyKind, raw: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(signatureType[kind]), raw]), 'buffer').subarray(0, 4);
}

/** Names of keys end at a space in the line of a signature, and at a plus in a verifier key. Throws a `TypeError` for others. */
export function checkKeyName(name: string): void {
  if (name === '' || /[\s+\p{Cc}]/u.test(name) || !name.isWellFormed()) {
    throw new TypeError('the name of a key is not empty and has no spaces, control characters or plus signs');
  }
}

/**
 * The public half as text to hand to verifiers, `<name>+<key id in hex>+<base64 of type and key>`: the `vkey` of C2SP's
 * signed-note and of Go's sumdb.
 */
export function verifierKey(name: string, key: KeyObject): string {
  checkKeyName(name);
  const kind = kindOf(key);
  const raw = rawPublicKey(key);
  return `${name}+${keyId(name, kind, raw).toString('hex')}+${Buffer.concat([Buffer.of(signatureType[kind]), raw]).toString('base64')}`;
}

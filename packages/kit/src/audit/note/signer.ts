import { sign, type KeyObject } from 'node:crypto';
import { cosignedMessage } from './cosigned-message.ts';
import { checkKeyName, keyId, kindOf, rawPublicKey } from './key.ts';
import type { TreeHead } from './tree-head.ts';

/** Adds its line to a checkpoint. */
export interface CheckpointSigner {
  readonly name: string;
  /** The line of the signature, with its newline. `text` is the note's text; `signedAt` is in seconds of the Unix epoch. */
  sign(head: TreeHead, text: string, signedAt: number): string;
}

/**
 * Signs checkpoints with a private key of Ed25519 or ML-DSA-44. `name` is that of the key, by convention the log's origin.
 *
 * ML-DSA-44 is signed as a cosignature of the log itself, as C2SP's tlog-checkpoint recommends; Node has it from 24.7 on. Throws a
 * `TypeError` for other keys, and for names that a note cannot hold.
 */
export function createCheckpointSigner(name: string, key: KeyObject): CheckpointSigner {
  checkKeyName(name);
  if (key.type !== 'private') throw new TypeError('signing takes a private key');
  const kind = kindOf(key);
  const id = keyId(name, kind, rawPublicKey(key));
  return {
    name,
    sign(head, text, signedAt) {
      const parts = [id];
      if (kind === 'ed25519') parts.push(sign(null, Buffer.from(text), key));
      else {
        const timestamp = Buffer.alloc(8);
        timestamp.writeBigUInt64BE(BigInt(signedAt));
        parts.push(timestamp, sign(null, cosignedMessage(name, signedAt, head), key));
      }
      return `\u2014 ${name} ${Buffer.concat(parts).toString('base64')}\n`;
    },
  };
}

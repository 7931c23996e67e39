import { hashBytes } from '../merkle/index.ts';
import type { CheckpointSigner } from './signer.ts';
import type { TreeHead } from './tree-head.ts';

/**
 * A checkpoint as C2SP's tlog-checkpoint has it: a signed note of three lines (origin, size, root in base64) and a line for
 * each signature. `signedAt` is in seconds of the Unix epoch.
 *
 * **A log must never sign two heads that contradict each other**: whoever calls this has to know that the tree of `head` is
 * a continuation of the one that was signed last.
 */
export function signCheckpoint(head: TreeHead, signers: readonly CheckpointSigner[], signedAt: number): string {
  const text = checkpointText(head);
  if (signers.length === 0) throw new TypeError('a checkpoint needs a signature');
  return `${text}\n${signers.map((signer) => signer.sign(head, text, signedAt)).join('')}`;
}

/** The part of a checkpoint that is signed, with its last newline. */
export function checkpointText({ origin, size, root }: TreeHead): string {
  // An ASCII control character would end the line or make the whole note invalid.
  if (origin === '' || /\p{Cc}/u.test(origin) || !origin.isWellFormed()) throw new TypeError('an origin is one line of text');
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`a tree cannot have ${size} leaves`);
  if (root.length !== hashBytes) throw new RangeError(`a root has ${hashBytes} bytes`);
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

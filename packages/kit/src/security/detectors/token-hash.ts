import type { Random } from '../../time/index.ts';

/** Of longer texts the ends and the length count: the work is bounded, whatever a stranger sends. */
const longest = 256;

/**
 * 32 bits of a text, to tell whether it was seen before without keeping it: for paths and refused credentials. FNV-1a from a secret start.
 * Two texts that fall together make a detector see one less, once in 2³²; never one more.
 */
export function createTokenHash(random: Random): (text: string) => number {
  const start = random.bytes(4).readInt32LE(0);
  return (text) => {
    let hash = (start ^ text.length) | 0;
    const tail = text.length > longest ? text.length - longest / 2 : text.length;
    const head = text.length > longest ? longest / 2 : text.length;
    for (let at = 0; at < head; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    for (let at = tail; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    return hash;
  };
}

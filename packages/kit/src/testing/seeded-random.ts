import type { Random } from '../time/index.ts';

/**
 * Chance that repeats itself: the same seed gives the same numbers on every machine (mulberry32, 32 bits of state).
 * For tests only; its bytes are no secrets.
 */
export function createSeededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`A seed is an integer, not ${seed}.`);
  // Both halves of the number count, so that seeds 2³² apart differ.
  let state = (seed ^ Math.imul(Math.floor(seed / 0x1_0000_0000), 0x9e3779b1)) | 0;
  function nextUint32(): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  return {
    next: () => nextUint32() / 0x1_0000_0000,
    bytes(length) {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at++) bytes[at] = nextUint32() & 0xff;
      return bytes;
    },
  };
}

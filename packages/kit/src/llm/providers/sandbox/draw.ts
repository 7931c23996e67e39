/** Numbers that follow from a text: the same text gives the same numbers, so that the sandbox repeats itself. */
export interface Draw {
  /** A whole number from 0 to below `below`. */
  below(below: number): number;
  of<T>(list: readonly [T, ...T[]]): T;
}

export function createDraw(text: string, seed: number): Draw {
  let state = hashText(text, seed);
  const next = () => {
    // mulberry32: 32 bits of state are enough for examples, and it is four lines.
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit: number) => Math.floor((next() / 0x1_0000_0000) * limit);
  return { below, of: (list) => list[below(list.length)] ?? list[0] };
}

/** FNV-1a over UTF-16 units, then mixed, so that texts that differ at their end differ everywhere. */
export function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

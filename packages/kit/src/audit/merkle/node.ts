/**
 * A perfect subtree: the one whose leaves are `index * 2^level` (inclusive) to `(index + 1) * 2^level` (exclusive). A leaf has
 * level 0. Once all its leaves are there its hash never changes, so that hashes of these are what a store keeps.
 */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** The largest tree that is counted exactly, in leaves. */
export const maxTreeSize = Number.MAX_SAFE_INTEGER;

/**
 * The perfect subtrees that together are the leaves from `begin` (inclusive) to `end` (exclusive), left to right. From a `begin` that is
 * 0 or begins a subtree of RFC 6962, these become ever smaller: as many as `end - begin` has ones in binary.
 */
export function perfectSubtrees(begin: number, end: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  let at = begin;
  while (at < end) {
    let level = 0;
    let size = 1;
    // As large as its place allows, and no larger than what is left. No shifts: they end at 2^31.
    while (at % (size * 2) === 0 && at + size * 2 <= end) {
      size *= 2;
      level++;
    }
    nodes.push({ level, index: at / size });
    at += size;
  }
  return nodes;
}

/** The largest power of two that is less than `size` (RFC 6962 splits a tree of `size` leaves there). `size` is at least 2. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

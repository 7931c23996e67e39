import { foldRight } from './compact-range.ts';
import { perfectSubtrees, splitPoint, type TreeNode } from './node.ts';

/**
 * What has to be read to make a proof, and how: `nodes` are all perfect subtrees whose hashes are needed, to be fetched in one
 * go; `prove` takes their hashes in the same order. Reading and proving are apart, so that this part knows no store.
 */
export interface ProofPlan {
  readonly nodes: readonly TreeNode[];
  /** The proof: hashes in the order of RFC 6962. Throws a `RangeError` for another number of hashes than nodes. */
  prove(hashes: readonly Buffer[]): Buffer[];
}

/**
 * That leaf `index` is in the tree of the first `size` leaves: RFC 6962, section 2.1.1, `PATH(index, D[size])`. At most
 * `2 · log2(size)` nodes are read. Throws a `RangeError` when there is no such leaf.
 */
export function planInclusionProof(index: number, size: number): ProofPlan {
  checkSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
  const siblings: Leaves[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + splitPoint(end - begin);
    if (index < middle) {
      siblings.push({ begin: middle, end });
      end = middle;
    } else {
      siblings.push({ begin, end: middle });
      begin = middle;
    }
  }
  // Found from the root down; the proof is told from the leaf up.
  return planOf(siblings.reverse());
}

/**
 * That the tree of the first `older` leaves is the beginning of that of the first `newer`: RFC 6962, section 2.1.2,
 * `PROOF(older, D[newer])`. Empty when they are the same or the older one is empty. Throws a `RangeError` when the older one is the larger.
 */
export function planConsistencyProof(older: number, newer: number): ProofPlan {
  checkSize(older);
  checkSize(newer);
  if (older > newer) throw new RangeError(`a tree of ${older} leaves is no beginning of one of ${newer}`);
  if (older === 0 || older === newer) return planOf([]);
  const ranges: Leaves[] = [];
  let begin = 0;
  let end = newer;
  // True while the part looked at begins with leaf 0 on both sides: then whoever verifies knows its hash, the older root.
  let known = true;
  while (end !== older) {
    const middle = begin + splitPoint(end - begin);
    if (older <= middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
      known = false;
    }
  }
  if (!known) ranges.push({ begin, end });
  return planOf(ranges.reverse());
}

interface Leaves {
  readonly begin: number;
  readonly end: number;
}

function planOf(ranges: readonly Leaves[]): ProofPlan {
  const subtrees = ranges.map(({ begin, end }) => perfectSubtrees(begin, end));
  const nodes = subtrees.flat();
  return {
    nodes,
    prove(hashes) {
      if (hashes.length !== nodes.length) throw new RangeError(`${nodes.length} hashes are needed, not ${hashes.length}`);
      let at = 0;
      return subtrees.map(({ length }) => foldRight(hashes.slice(at, (at += length))));
    },
  };
}

function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`a tree cannot have ${size} leaves`);
}

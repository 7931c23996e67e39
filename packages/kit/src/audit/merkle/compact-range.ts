import { emptyRoot, hashBytes, hashChildren } from './hash.ts';
import { maxTreeSize, perfectSubtrees, type TreeNode } from './node.ts';

/** Told of each perfect subtree that becomes whole, the smallest first. */
export type OnNode = (node: TreeNode, hash: Buffer) => void;

/**
 * A tree that only grows, as the hashes of its perfect subtrees: as many as its size has ones in binary, so 30 for a thousand
 * million leaves. That is all that is needed to append and to know the root.
 */
export class CompactRange {
  #size: number;
  readonly #hashes: Buffer[];

  /**
   * `hashes` are those of `perfectSubtrees(0, size)`, left to right. Throws a `RangeError` for another number of them or for
   * hashes of another length.
   */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`a tree cannot have ${size} leaves`);
    const wanted = perfectSubtrees(0, size).length;
    if (hashes.length !== wanted) throw new RangeError(`a tree of ${size} leaves has ${wanted} perfect subtrees, not ${hashes.length}`);
    if (hashes.some((hash) => hash.length !== hashBytes)) throw new RangeError(`a hash has ${hashBytes} bytes`);
    this.#size = size;
    this.#hashes = hashes.map((hash) => Buffer.from(hash));
  }

  /** Leaves so far: also the index that the next one gets. */
  get size(): number {
    return this.#size;
  }

  /** Of the perfect subtrees, left to right. What a restart needs, with `size`. */
  get hashes(): readonly Buffer[] {
    return this.#hashes;
  }

  /** Appends the hash of a leaf and returns its index. */
  append(leafHash: Uint8Array, onNode?: OnNode): number {
    if (leafHash.length !== hashBytes) throw new RangeError(`a hash has ${hashBytes} bytes`);
    const index = this.#size;
    if (index >= maxTreeSize) throw new RangeError('the tree is full');
    let hash = Buffer.from(leafHash);
    onNode?.({ level: 0, index }, hash);
    // A carry, as when one is added in binary: two subtrees of a size become one.
    let level = 0;
    let place = index;
    while (place % 2 === 1) {
      hash = hashChildren(this.#hashes.pop()!, hash) as Buffer<ArrayBuffer>;
      level++;
      place = (place - 1) / 2;
      onNode?.({ level, index: place }, hash);
    }
    this.#hashes.push(hash);
    this.#size = index + 1;
    return index;
  }

  /** The root of the tree as it is (RFC 6962's Merkle Tree Hash). */
  root(): Buffer {
    return this.#size === 0 ? emptyRoot : foldRight(this.#hashes);
  }
}

/** The root over perfect subtrees that become ever smaller, left to right; there is at least one. */
export function foldRight(hashes: readonly Buffer[]): Buffer {
  let root = hashes[hashes.length - 1]!;
  for (let at = hashes.length - 2; at >= 0; at--) root = hashChildren(hashes[at]!, root);
  return root;
}

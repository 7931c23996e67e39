import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CompactRange,
  hashLeaf,
  pendingNodes,
  planConsistencyProof,
  planInclusionProof,
  planTileReads,
  tileLevels,
  TiledTree,
  type Tile,
  type TreeNode,
} from './index.ts';

const maxSize = 70_000;
const leafHashes = Array.from({ length: maxSize }, (_, at) => hashLeaf(Buffer.from(`leaf ${at}`)));

/** The tree, every node of it, and every tile, as they are at `maxSize`. */
const nodes = new Map<string, Buffer>();
const tiles = new Map<string, Tile>();
{
  const range = new CompactRange();
  const tree = new TiledTree();
  for (const hash of leafHashes) {
    range.append(hash, ({ level, index }, node) => nodes.set(`${level}/${index}`, node));
    tree.append(hash);
  }
  for (const tile of tree.takeTiles()) tiles.set(`${tile.level}/${tile.index}`, tile);
}
const hashOf = ({ level, index }: TreeNode): Buffer => nodes.get(`${level}/${index}`)!;
const rootAt = (size: number): Buffer => {
  const range = new CompactRange();
  for (const hash of leafHashes.slice(0, size)) range.append(hash);
  return range.root();
};

/** As a store has it: whole tiles, and the tail. */
function pendingOf(size: number): Buffer[] {
  return Array.from({ length: tileLevels(size) }, (_, level) => {
    const { begin, count } = pendingNodes(size, level);
    return Buffer.concat(Array.from({ length: count }, (_each, at) => hashOf({ level: level * 8, index: begin + at })));
  });
}
const readAt =
  (size: number) =>
  ({ level, index }: { level: number; index: number | 'pending' }): Buffer =>
    index === 'pending' ? pendingOf(size)[level]! : tiles.get(`${level}/${index}`)!.hashes;

const sizes = fc.oneof(
  fc.constantFrom(0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, maxSize),
  fc.nat({ max: maxSize }),
);

describe('a tree in tiles', () => {
  test('hands out each tile once, when it is whole, with the hashes that the tree has', () => {
    expect(tiles.size).toBe(Math.floor(maxSize / 256) + 1);
    for (const { level, index, root, hashes } of tiles.values()) {
      expect(root).toEqual(hashOf({ level: (level + 1) * 8, index }));
      expect(hashes).toEqual(Buffer.concat(Array.from({ length: 256 }, (_, at) => hashOf({ level: level * 8, index: index * 256 + at }))));
    }
  });

  test('goes on from wherever it was stored, as if it had never stopped', () => {
    fc.assert(
      fc.property(sizes, fc.nat({ max: 600 }), (size, more) => {
        const tree = new TiledTree(size, pendingOf(size));
        const end = Math.min(maxSize, size + more);
        for (let at = size; at < end; at++) tree.append(leafHashes[at]!);
        expect(tree.size).toBe(end);
        expect(tree.tail).toEqual(pendingOf(end)[0] ?? Buffer.alloc(0));
        for (const tile of tree.takeTiles()) expect(tile).toEqual(tiles.get(`${tile.level}/${tile.index}`));
      }),
      { numRuns: 40 },
    );
    for (const size of [0, 1, 300, 65_537]) expect(new TiledTree(size, pendingOf(size)).root()).toEqual(rootAt(size));
  });

  test('refuses what is not stored as it has to be', () => {
    expect(() => new TiledTree(1, [])).toThrow(/1 levels/);
    expect(() => new TiledTree(300, [Buffer.alloc(32 * 44), Buffer.alloc(0)])).toThrow(/1 pending nodes at level 1/);
  });
});

describe('a store of tiles', () => {
  test('answers every node of every proof, also of a smaller tree, with few reads', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), (one, other, seed) => {
        const [older, size] = one < other ? [one, other] : [other, one];
        const plans = [planConsistencyProof(older, size)];
        if (older > 0) plans.push(planInclusionProof(seed % older, older));
        if (size > 0) plans.push(planInclusionProof(seed % size, size));
        for (const plan of plans) {
          const reads = planTileReads(plan.nodes, size);
          expect(reads.tiles.length + reads.pending.length).toBeLessThanOrEqual(2 * tileLevels(size));
          expect(reads.resolve(readAt(size))).toEqual(plan.nodes.map(hashOf));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('is not asked for nodes that the tree has not, and a tile that is cut short is told', () => {
    expect(() => planTileReads([{ level: 0, index: 5 }], 5)).toThrow(/no node 0\/5/);
    expect(() => planTileReads([{ level: 9, index: 0 }], 511)).toThrow(/no node 9\/0/);
    expect(() => planTileReads([{ level: 0, index: 255 }], 256).resolve(() => Buffer.alloc(32))).toThrow(/incomplete/);
  });
});

import { CompactRange } from './compact-range.ts';
import { hashBytes, hashChildren } from './hash.ts';
import { perfectSubtrees, type TreeNode } from './node.ts';

/** Leaves of a tile: a perfect subtree of eight levels, so that 10^9 leaves are four tiles high. */
export const tileWidth = 256;
const tileHeight = 8;

/** A perfect subtree of 256 nodes. Once it is whole it never changes, so that a store writes it once. */
export interface Tile {
  /** 0 for tiles of leaves; the nodes of a tile of level `n` are the roots of tiles of level `n - 1`. */
  readonly level: number;
  readonly index: number;
  readonly root: Buffer;
  /** The hashes of its 256 nodes, one behind the other: 8,192 bytes. */
  readonly hashes: Buffer;
}

/** How many nodes of a level of tiles stand behind its last whole tile, in a tree of this size. */
export function pendingNodes(size: number, level: number): { readonly begin: number; readonly count: number } {
  const nodes = Math.floor(size / tileWidth ** level);
  return { begin: nodes - (nodes % tileWidth), count: nodes % tileWidth };
}

/** Levels of tiles that a tree of this size has anything of, whole or not. */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let nodes = size; nodes > 0; nodes = Math.floor(nodes / tileWidth)) levels++;
  return levels;
}

/** A tree that only grows, and hands out its hashes in tiles: two hashings a leaf, and one row of a store for 256 of them. */
export class TiledTree {
  readonly #range: CompactRange;
  /** By level: the nodes behind its last whole tile. */
  readonly #pending: Buffer[][];
  #whole: Tile[] = [];

  /**
   * `pending` are, for each of the `tileLevels(size)` from 0 on, the hashes that `pendingNodes` speaks of, one behind the other. Throws a
   * `RangeError` when they are not.
   */
  constructor(size = 0, pending: readonly Buffer[] = []) {
    this.#pending = pending.map((hashes, level) => {
      if (hashes.length !== pendingNodes(size, level).count * hashBytes) {
        throw new RangeError(`a tree of ${size} leaves has ${pendingNodes(size, level).count} pending nodes at level ${level}`);
      }
      return split(hashes);
    });
    if (pending.length !== tileLevels(size)) throw new RangeError(`a tree of ${size} leaves has ${tileLevels(size)} levels of tiles`);
    this.#range = new CompactRange(
      size,
      perfectSubtrees(0, size).map((node) => {
        const { level, first, span } = placeOf(node);
        const { begin } = pendingNodes(size, level);
        return foldPerfect(this.#pending[level]!.slice(first - begin, first - begin + span));
      }),
    );
  }

  get size(): number {
    return this.#range.size;
  }

  /** Of level 0: what `pendingNodes(size, 0)` counts. */
  get tail(): Buffer {
    return Buffer.concat(this.#pending[0] ?? []);
  }

  append(leafHash: Uint8Array): void {
    this.#range.append(leafHash, ({ level, index }, hash) => {
      if (level % tileHeight === 0) this.#add(level / tileHeight, index, hash);
    });
  }

  root(): Buffer {
    return this.#range.root();
  }

  /** The tiles that became whole since this was asked last. */
  takeTiles(): Tile[] {
    const tiles = this.#whole;
    this.#whole = [];
    return tiles;
  }

  /** The range tells of subtrees the smallest first, so the root of a tile comes when its 256 nodes are here. */
  #add(level: number, index: number, hash: Buffer): void {
    if (level > 0) {
      const nodes = this.#pending[level - 1]!;
      this.#whole.push({ level: level - 1, index, root: hash, hashes: Buffer.concat(nodes) });
      nodes.length = 0;
    }
    (this.#pending[level] ??= []).push(hash);
  }
}

/** What has to be read of a store of tiles for a list of nodes, and how the nodes come of it. */
export interface TileReads {
  /** Whole tiles: their `hashes`. */
  readonly tiles: readonly { readonly level: number; readonly index: number }[];
  /** Levels of which the pending nodes are needed: the tail for 0, and the roots of the tiles of the level below from `begin` on for others. */
  readonly pending: readonly { readonly level: number; readonly begin: number; readonly count: number }[];
  /** `read` is asked for each of the above once, and answers hashes one behind the other. Throws a `RangeError` for too few. */
  resolve(read: (part: { readonly level: number; readonly index: number | 'pending' }) => Buffer): Buffer[];
}

/** For nodes of a tree of at most `size` leaves, the store's. `O(log size)` tiles for a proof. */
export function planTileReads(nodes: readonly TreeNode[], size: number): TileReads {
  const places = nodes.map((node) => {
    const place = placeOf(node);
    const index = Math.floor(place.first / tileWidth);
    const { begin, count } = pendingNodes(size, place.level);
    if (place.first + place.span > begin + count) throw new RangeError(`a tree of ${size} leaves has no node ${node.level}/${node.index}`);
    return { ...place, part: index * tileWidth < begin ? index : ('pending' as const) };
  });
  const parts = new Map(places.map(({ level, part }) => [`${level}/${part}`, { level, part }]));
  return {
    tiles: [...parts.values()].flatMap(({ level, part }) => (part === 'pending' ? [] : [{ level, index: part }])),
    pending: [...parts.values()].flatMap(({ level, part }) => (part === 'pending' ? [{ level, ...pendingNodes(size, level) }] : [])),
    resolve(read) {
      const known = new Map<string, Buffer>();
      return places.map(({ level, part, first, span }) => {
        const name = `${level}/${part}`;
        const hashes = known.get(name) ?? read({ level, index: part });
        known.set(name, hashes);
        const at = (first % tileWidth) * hashBytes;
        if (hashes.length < at + span * hashBytes) throw new RangeError(`the tile ${name} is incomplete`);
        return foldPerfect(split(hashes.subarray(at, at + span * hashBytes)));
      });
    },
  };
}

/** Where a node is made of: `span` nodes from `first` on, of a level of tiles. */
function placeOf({ level, index }: TreeNode): { readonly level: number; readonly first: number; readonly span: number } {
  const span = 2 ** (level % tileHeight);
  return { level: Math.floor(level / tileHeight), first: index * span, span };
}

function split(hashes: Buffer): Buffer[] {
  return Array.from({ length: hashes.length / hashBytes }, (_, at) => hashes.subarray(at * hashBytes, (at + 1) * hashBytes));
}

/** The root over as many nodes as a power of two. */
function foldPerfect(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1) row = Array.from({ length: row.length / 2 }, (_, at) => hashChildren(row[2 * at]!, row[2 * at + 1]!));
  return row[0]!;
}

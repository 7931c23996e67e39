import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyConsistency, verifyInclusion, TreeHasher, type TreeHead } from '../verify/index.ts';
import { CompactRange, emptyRoot, hashChildren, hashLeaf, perfectSubtrees, planConsistencyProof, planInclusionProof } from './index.ts';

// RFC 6962 as it is written, on an array of leaves: slow, and plainly right.
const largestPowerBelow = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));
function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return hashLeaf(leaves[0]!);
  const k = largestPowerBelow(leaves.length);
  return hashChildren(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}
function path(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = largestPowerBelow(leaves.length);
  return m < k ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k))] : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k))];
}
function subproof(m: number, leaves: readonly Buffer[], whole: boolean): Buffer[] {
  if (m === leaves.length) return whole ? [] : [mth(leaves)];
  const k = largestPowerBelow(leaves.length);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), mth(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))];
}

const leavesOf = (size: number): Buffer[] => Array.from({ length: size }, (_, at) => Buffer.from(`leaf ${at}`));
const key = (level: number, index: number): string => `${level}/${index}`;

function grow(leaves: readonly Buffer[]) {
  const range = new CompactRange();
  const stored = new Map<string, Buffer>();
  for (const leaf of leaves) range.append(hashLeaf(leaf), ({ level, index }, hash) => stored.set(key(level, index), hash));
  return {
    range,
    read: ({ nodes }: { nodes: readonly { level: number; index: number }[] }) =>
      nodes.map(({ level, index }) => stored.get(key(level, index))!),
  };
}

const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map((hash) => Buffer.from(hash).toString('hex'));

describe('the tree', () => {
  test('has the roots that others publish for the same leaves', () => {
    // Test vectors of certificate-transparency-go and trillian (`merkle/rfc6962`): eight inputs, their roots from one leaf to eight.
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    const range = new CompactRange();
    expect(range.root().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(
      inputs.map((input) => {
        range.append(hashLeaf(Buffer.from(input, 'hex')));
        return range.root().toString('hex');
      }),
    ).toEqual(roots);
  });

  test('is RFC 6962’s at every size', async () => {
    const leaves = leavesOf(70);
    const range = new CompactRange();
    const hasher = new TreeHasher();
    for (let size = 0; size <= leaves.length; size++) {
      const root = mth(leaves.slice(0, size)).toString('hex');
      expect(range.root().toString('hex')).toBe(root);
      expect(Buffer.from(await hasher.root()).toString('hex')).toBe(root);
      if (size === leaves.length) break;
      expect(range.append(hashLeaf(leaves[size]!))).toBe(size);
      await hasher.append(leaves[size]!);
    }
  });

  test('goes on from what a restart finds, as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 50 }), (before, after) => {
        const leaves = leavesOf(before + after);
        const first = grow(leaves.slice(0, before)).range;
        const second = new CompactRange(first.size, first.hashes);
        for (const leaf of leaves.slice(before)) second.append(hashLeaf(leaf));
        expect(second.root()).toEqual(mth(leaves));
      }),
      { numRuns: 50 },
    );
  });

  test('tells of every perfect subtree once, when it becomes whole', () => {
    const told: string[] = [];
    const range = new CompactRange();
    for (const leaf of leavesOf(6)) range.append(hashLeaf(leaf), ({ level, index }) => told.push(key(level, index)));
    expect(told).toEqual(['0/0', '0/1', '1/0', '0/2', '0/3', '1/1', '2/0', '0/4', '0/5', '1/2']);
  });

  test('counts exactly beyond 32 bits', () => {
    const size = 2 ** 40 + 2 ** 33 + 1;
    expect(perfectSubtrees(0, size)).toEqual([
      { level: 40, index: 0 },
      { level: 33, index: 2 ** 7 },
      { level: 0, index: size - 1 },
    ]);
    const range = new CompactRange(size, [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)]);
    expect(range.append(Buffer.alloc(32, 4))).toBe(size);
    expect(range.hashes).toHaveLength(3);
  });

  test.each([
    ['a size that is none', () => new CompactRange(-1)],
    ['a fraction', () => new CompactRange(1.5, [])],
    ['hashes that do not fit the size', () => new CompactRange(3, [Buffer.alloc(32)])],
    ['a hash of the wrong length', () => new CompactRange(1, [Buffer.alloc(31)])],
    ['a leaf that is no hash', () => new CompactRange().append(Buffer.alloc(20))],
    ['a leaf beyond the tree', () => planInclusionProof(3, 3)],
    ['a leaf before it', () => planInclusionProof(-1, 3)],
    ['a proof from the newer to the older', () => planConsistencyProof(4, 3)],
    ['a proof of no size', () => planConsistencyProof(Number.NaN, 3)],
    ['fewer hashes than were asked for', () => planInclusionProof(0, 3).prove([])],
  ])('refuses %s', (_name, act) => {
    expect(act).toThrow(RangeError);
  });
});

describe('proofs', () => {
  const max = 90;
  const leaves = leavesOf(max);
  const { read } = grow(leaves);
  const roots = Array.from({ length: max + 1 }, (_, size) => mth(leaves.slice(0, size)));
  const sizes = fc.integer({ min: 1, max });

  test('of inclusion are RFC 6962’s, and verify', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (size, seed) => {
        const index = seed % size;
        const plan = planInclusionProof(index, size);
        const proof = plan.prove(read(plan));
        expect(hex(proof)).toEqual(hex(path(index, leaves.slice(0, size))));
        await verifyInclusion({ hash: hashLeaf(leaves[index]!), index, proof }, { size, root: roots[size]! });
      }),
      { numRuns: 200 },
    );
  });

  test('of consistency are RFC 6962’s, and verify', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (a, b) => {
        const [older, newer] = a < b ? [a, b] : [b, a];
        const plan = planConsistencyProof(older, newer);
        const proof = plan.prove(read(plan));
        expect(hex(proof)).toEqual(hex(subproof(older, leaves.slice(0, newer), true)));
        await verifyConsistency(
          { origin: 'o', size: older, root: roots[older]! },
          { origin: 'o', size: newer, root: roots[newer]! },
          proof,
        );
      }),
      { numRuns: 200 },
    );
  });

  test('read few nodes of a large tree', () => {
    for (const index of [0, 1, 999_999_999, 2 ** 29 + 7]) {
      expect(planInclusionProof(index, 1_000_000_000).nodes.length).toBeLessThanOrEqual(2 * 30);
    }
    expect(planConsistencyProof(123_456_789, 1_000_000_000).nodes.length).toBeLessThanOrEqual(2 * 30);
  });

  test('of inclusion stop verifying with any change to them', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.nat(),
        fc.constantFrom('hash', 'index', 'size', 'root', 'flip', 'drop', 'add'),
        fc.nat(),
        async (size, seed, change, at) => {
          const index = seed % size;
          const plan = planInclusionProof(index, size);
          const leaf = { hash: hashLeaf(leaves[index]!), index, proof: plan.prove(read(plan)) };
          const head = { size, root: roots[size]! };
          const flipped = (bytes: Buffer): Buffer => {
            const copy = Buffer.from(bytes);
            copy[at % copy.length]! ^= 1 << (at % 8);
            return copy;
          };
          if (change === 'hash') leaf.hash = flipped(leaf.hash);
          else if (change === 'root') head.root = flipped(head.root);
          else if (change === 'add') leaf.proof = [...leaf.proof, roots[1]!];
          else if (change === 'index') {
            if (size === 1) return;
            leaf.index = (index + 1 + (at % (size - 1))) % size;
          } else if (change === 'size') {
            // The same path can be right in a tree of another size, where the root differs: so the root of that size is given.
            head.size = (size % max) + 1;
            head.root = roots[head.size]!;
          } else {
            if (leaf.proof.length === 0) return;
            const place = at % leaf.proof.length;
            if (change === 'drop') leaf.proof = leaf.proof.filter((_, index) => index !== place);
            else leaf.proof = leaf.proof.map((hash, index) => (index === place ? flipped(hash) : hash));
          }
          await expect(verifyInclusion(leaf, head)).rejects.toMatchObject({ finding: 'inclusion_invalid' });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('that end before the root prove nothing, though the hashes agree so far', async () => {
    await expect(verifyInclusion({ hash: roots[8]!, index: 0, proof: [] }, { size: 8, root: roots[8]! })).rejects.toMatchObject({
      finding: 'inclusion_invalid',
    });
    const head = (size: number): TreeHead => ({ origin: 'o', size, root: roots[4]! });
    await expect(verifyConsistency(head(4), head(8), [])).rejects.toMatchObject({ finding: 'consistency_invalid' });
  });

  test('of consistency find a past that was changed, dropped, moved or added to', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), fc.constantFrom('change', 'drop', 'swap', 'insert'), async (a, b, seed, attack) => {
        const [older, newer] = a < b ? [a, b] : [b, a];
        const place = seed % older;
        const forged = leaves.slice(0, newer);
        if (attack === 'change') forged[place] = Buffer.from('forged');
        else if (attack === 'drop') forged.splice(place, 1);
        else if (attack === 'insert') forged.splice(place, 0, Buffer.from('forged'));
        else if (place + 1 < older) [forged[place], forged[place + 1]] = [forged[place + 1]!, forged[place]!];
        else return;
        if (forged.length < older) return;
        const log = grow(forged);
        const plan = planConsistencyProof(older, forged.length);
        const kept = { origin: 'o', size: older, root: roots[older]! };
        const shown = { origin: 'o', size: forged.length, root: log.range.root() };
        await expect(verifyConsistency(kept, shown, plan.prove(log.read(plan)))).rejects.toThrow(/what was logged|two logs/);
      }),
      { numRuns: 200 },
    );
  });

  test('of consistency name a log that was cut, forked or is another one', async () => {
    const head = (size: number, root = roots[size]!, origin = 'o') => ({ origin, size, root });
    await expect(verifyConsistency(head(9), head(8), [])).rejects.toMatchObject({ finding: 'rolled_back' });
    await expect(verifyConsistency(head(9), head(9, roots[8]), [])).rejects.toMatchObject({ finding: 'forked' });
    await expect(verifyConsistency(head(8), head(9, roots[9], 'p'), [])).rejects.toMatchObject({ finding: 'origin_unexpected' });
    await expect(verifyConsistency(head(8), head(9), [])).rejects.toMatchObject({ finding: 'consistency_invalid' });
    await expect(verifyConsistency(head(6), head(9), [])).rejects.toMatchObject({ finding: 'consistency_invalid' });
    await verifyConsistency(head(9), head(9), []);
    await verifyConsistency(head(0), head(9), []);
  });
});

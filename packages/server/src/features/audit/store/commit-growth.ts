import { compositeArray, CompositeWriter } from '../../../platform/postgres/index.ts';
import type { LogGrowth, PlacedLeaf } from '../sequencer/index.ts';
import type { RunStatement } from './run-statement.ts';
import * as statements from './statements.ts';

/** All of it or nothing; false when it was fenced off. */
export async function commitGrowth(run: RunStatement, growth: LogGrowth, leafOid: number): Promise<boolean> {
  const [row] = await run<{ count: number }>(statements.commit, commitValues(growth, leafOid));
  return row!.count === 1;
}

function commitValues(growth: LogGrowth, leafOid: number): unknown[] {
  const { epoch, oldSize, size, root, tail, leaves, lastNumbers, tiles, note, rejected, seqs } = growth;
  return [
    ...[epoch, oldSize, size, root, tail, compositeArray(leafOid, leaves.map(leafBytes))],
    ...[[...lastNumbers.keys()], [...lastNumbers.values()]],
    ...[
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map((tile) => tile.root),
      tiles.map(({ hashes }) => hashes),
    ],
    ...[note ?? null, rejected.map(({ seq }) => seq), rejected.map(({ reason }) => reason), seqs],
  ];
}

const writer = new CompositeWriter();

/** A value of `holdfast.audit_leaf_1`. */
function leafBytes(leaf: PlacedLeaf): Buffer {
  return writer
    .begin()
    .int8(leaf.index)
    .uuid(leaf.id)
    .uuid(leaf.organizationId ?? undefined)
    .int8(leaf.number)
    .timestamptz(leaf.atMs)
    .text(leaf.type)
    .text(leaf.outcome)
    .text(leaf.actorType)
    .text(leaf.actorId)
    .uuid(leaf.userId)
    .text(leaf.resourceType)
    .text(leaf.resourceId)
    .text(leaf.requestId)
    .text(leaf.leaf)
    .end();
}

/** What a proof file says of one leaf. */
export interface LoggedLeaf {
  /** Place of the leaf in the log, from 0. */
  readonly index: number;
  /** From the leaf up (see `planInclusionProof`), for the tree of the checkpoint. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, as it is. */
  readonly checkpoint: string;
  /** Rides along without being proved: in Holdfast's files the bytes of the event, so that a file needs nothing beside it. */
  readonly extra?: Uint8Array;
}

/** A file that proves offline that a leaf is in the log: C2SP's `tlog-proof@v1`, by custom named `*.tlog-proof`. */
export function formatProof({ index, proof, checkpoint, extra }: LoggedLeaf): string {
  const lines = ['c2sp.org/tlog-proof@v1'];
  if (extra !== undefined) lines.push(`extra ${Buffer.from(extra).toString('base64')}`);
  lines.push(`index ${index}`, ...proof.map((hash) => Buffer.from(hash).toString('base64')), '', checkpoint);
  return lines.join('\n');
}

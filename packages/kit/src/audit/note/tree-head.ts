/** A tree head: all that a checkpoint says. */
export interface TreeHead {
  /** Which log, as a URL without its scheme: `example.com/holdfast/4f1c…`. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** Root of the tree of that size, 32 bytes. */
  readonly root: Uint8Array;
}

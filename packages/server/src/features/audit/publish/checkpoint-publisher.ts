/** A checkpoint as it is published. */
export interface PublishedCheckpoint {
  readonly origin: string;
  readonly size: number;
  /** The signed note, as it is. */
  readonly note: string;
}

/** Where checkpoints go so that who keeps the log cannot take them back. */
export interface CheckpointPublisher {
  /** In the configuration, in the metrics and in `audit_publications`: `folder`, `webhook`, `object-store`. */
  readonly name: string;
  /**
   * Resolves when the checkpoint is there, also when it was already. May be repeated. Rejects with `delivery_failed` when it may help to try again, and
   * with `delivery_refused` when not.
   */
  publish(checkpoint: PublishedCheckpoint, context: { readonly signal: AbortSignal }): Promise<void>;
}

/** The name of a checkpoint among others: in the order of their sizes, and never the same for two. `00000000000000081204.checkpoint` */
export function checkpointName(size: number): string {
  return `${String(size).padStart(20, '0')}.checkpoint`;
}

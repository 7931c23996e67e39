import { isHoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import type { CheckpointPublisher, PublishedCheckpoint } from './checkpoint-publisher.ts';
import type { PublicationStore } from './publication-store.ts';

export interface Publication {
  readonly destination: string;
  /** `unchanged`: the last one that was published there is of this size already. */
  readonly result: 'published' | 'unchanged' | 'failed';
  /** Why it failed: a code and what it came from. */
  readonly error: string | undefined;
}

export interface PublishOptions {
  readonly publishers: readonly CheckpointPublisher[];
  readonly store: Pick<PublicationStore, 'lastSize' | 'succeeded' | 'failed'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Publishes one checkpoint everywhere, each place by itself: one that is away keeps no other waiting for its turn. Never rejects. */
export function publishCheckpoint(checkpoint: PublishedCheckpoint, options: PublishOptions): Promise<Publication[]> {
  return Promise.all(options.publishers.map((publisher) => publishTo(publisher, checkpoint, options)));
}

async function publishTo(
  publisher: CheckpointPublisher,
  checkpoint: PublishedCheckpoint,
  { store, clock, signal }: PublishOptions,
): Promise<Publication> {
  const destination = publisher.name;
  try {
    const last = await store.lastSize(destination);
    if (last !== undefined && last >= checkpoint.size) return { destination, result: 'unchanged', error: undefined };
    await publisher.publish(checkpoint, { signal });
    await store.succeeded(destination, checkpoint.size, clock.now());
    return { destination, result: 'published', error: undefined };
  } catch (thrown) {
    const error = isHoldfastError(thrown) ? `${thrown.code}: ${thrown.message}` : 'internal_error';
    // The table is only for those who look: what cannot be written there is told by metrics and by the log all the same.
    await store.failed(destination, error, clock.now()).catch(() => {});
    return { destination, result: 'failed', error };
  }
}

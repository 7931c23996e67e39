import { isHoldfastError } from '@holdfast/kit/errors';
import type { Clock, Random, Timer } from '@holdfast/kit/time';
import type { CheckpointPublisher, PublishedCheckpoint } from './checkpoint-publisher.ts';
import { checkpointPublishAttempted } from './events.ts';
import { publishCheckpoint, type Publication } from './publish-checkpoint.ts';
import type { PublicationStore } from './publication-store.ts';

export interface PublishingOptions {
  readonly publishers: readonly CheckpointPublisher[];
  readonly store: Pick<PublicationStore, 'lastSize' | 'succeeded' | 'failed'>;
  /** The last checkpoint; undefined before the first. */
  readonly latest: () => Promise<PublishedCheckpoint | undefined>;
  readonly clock: Clock;
  readonly random: Random;
  /** Between two checkpoints that are published: for so long the past could be written again unseen. */
  readonly everyMs: number;
}

export interface Publishing {
  /** Publishes what is there now, and resolves when every place has answered. Never rejects. */
  publishNow(): Promise<void>;
  stop(): Promise<void>;
}

const attemptTimeoutMs = 30_000;
/** After a failure: sooner than the next turn, and not so often that a place which is down is flooded. */
const retryMs = 60_000;
/** Instances that were started together do not publish together. */
const spread = 0.2;

/**
 * Publishes the last checkpoint every so often. Each instance does: what was published by another is not published again, and one that is
 * down leaves no gap.
 */
export function startPublishing({ publishers, store, latest, clock, random, everyMs }: PublishingOptions): Publishing {
  let timer: Timer | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let stopping: AbortController | undefined;
  let stopped = false;

  async function attempt(): Promise<readonly Publication[]> {
    const controller = new AbortController();
    stopping = controller;
    const limit = clock.setTimeout(() => controller.abort(), attemptTimeoutMs);
    let size = 0;
    let publications: readonly Publication[];
    try {
      const checkpoint = await latest();
      if (checkpoint === undefined) return [];
      size = checkpoint.size;
      publications = await publishCheckpoint(checkpoint, { publishers, store, clock, signal: controller.signal });
    } catch (thrown) {
      const error = isHoldfastError(thrown) ? `${thrown.code}: ${thrown.message}` : 'internal_error';
      publications = publishers.map(({ name }) => ({ destination: name, result: 'failed', error }));
    } finally {
      limit.cancel();
    }
    for (const publication of publications) checkpointPublishAttempted.publish({ ...publication, size });
    return publications;
  }

  function schedule(publications: readonly Publication[]): void {
    if (stopped) return;
    const failed = publications.some(({ result }) => result === 'failed');
    const waitMs = failed ? Math.min(retryMs, everyMs) : everyMs;
    timer = clock.setTimeout(() => void run().then(schedule), waitMs * (1 - spread * random.next()));
  }

  const run = (): Promise<readonly Publication[]> => {
    const next = last.then(attempt);
    last = next;
    return next;
  };
  // Not at once: the first events of a start have their checkpoint a little later.
  timer = clock.setTimeout(() => void run().then(schedule), Math.min(everyMs, 5_000));

  return {
    async publishNow() {
      await run();
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      stopping?.abort();
      await last;
    },
  };
}

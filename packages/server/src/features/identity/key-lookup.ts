import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { withinDeadline } from '../../platform/change-feed/index.ts';
import type { KeyDirectory, StoredKey } from './key-directory.ts';
import type { KeyDigest } from './key-hash.ts';

export interface KeyLookupOptions {
  readonly directory: Pick<KeyDirectory, 'find'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Most secrets that one query asks for. */
  readonly maxBatch: number;
  /** Most secrets that may wait for their query; beyond it `database_unavailable`. */
  readonly maxWaiting: number;
}

export interface KeyLookup {
  /** The stored key that has one of these digests. Throws `database_unavailable`, and never says "unknown" instead of it. */
  find(digests: readonly KeyDigest[]): Promise<StoredKey | undefined>;
}

interface Waiter {
  readonly digests: readonly KeyDigest[];
  readonly resolve: (key: StoredKey | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One query at a time, for everybody who waits: it goes at once when none is under way, and takes all that came meanwhile
 * otherwise. So a flood of invented keys costs one connection and as many queries as the database answers one after another.
 */
export function createKeyLookup({ directory, clock, timeoutMs, maxBatch, maxWaiting }: KeyLookupOptions): KeyLookup {
  const waiting: Waiter[] = [];
  let underWay = false;

  async function run(): Promise<void> {
    underWay = true;
    while (waiting.length > 0) await answer(waiting.splice(0, maxBatch));
    underWay = false;
  }

  async function answer(batch: readonly Waiter[]): Promise<void> {
    try {
      const asked = batch.flatMap((waiter) => waiter.digests);
      const keys = await withinDeadline(clock, timeoutMs, 'looking up keys', directory.find(asked));
      const found = new Map(keys.map((key) => [key.digest, key]));
      for (const { digests, resolve } of batch) {
        const hit = digests.find((digest) => found.has(digest));
        resolve(hit === undefined ? undefined : found.get(hit));
      }
    } catch (error) {
      // Who came meanwhile learns it too, instead of waiting the same time once more.
      for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error);
    }
  }

  return {
    find(digests) {
      if (waiting.length >= maxWaiting) {
        return Promise.reject(
          new HoldfastError('database_unavailable', { detail: 'too many keys wait to be looked up', retryAfterSeconds: 1 }),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ digests, resolve, reject });
        if (!underWay) void run();
      });
    },
  };
}

import type { Clock, Timer } from '../../../time/index.ts';
import { bucketEvicted } from '../../announcements.ts';
import {
  type BucketStatus,
  type BucketTake,
  type ListedBucket,
  type ListOptions,
  type Settlement,
  type SyncRateLimitDriver,
  type TakeOutcome,
} from '../../driver.ts';
import { fullest } from '../../fullest.ts';
import type { ConcurrencyPolicy, GcraPolicy, LimitPolicy, WindowPolicy } from '../../policies/index.ts';
import { BucketTable } from './bucket-table.ts';
import type { Bucket } from './bucket.ts';
import { ConcurrencyBucket } from './concurrency-bucket.ts';
import { GcraBucket } from './gcra-bucket.ts';
import { readMemoryDriverOptions, type MemoryDriverOptions } from './options.ts';
import { WindowBucket } from './window-bucket.ts';

/** Buckets in this process. Throws `configuration_invalid` for options with faults. */
export function createMemoryDriver(options: MemoryDriverOptions): MemoryDriver {
  return new MemoryDriver(readMemoryDriverOptions(options));
}

/** Looked at in one go while nothing comes: about a millisecond. */
const bucketsPerSweep = 10_000;

export class MemoryDriver implements SyncRateLimitDriver {
  readonly #clock: Clock;
  readonly #maxBuckets: number;
  readonly #sweepMs: number;
  readonly #tables = new Map<string, BucketTable>();
  #timer: Timer | undefined;
  #closed = false;
  #evictions = 0;

  /** Use `createMemoryDriver`. */
  constructor({ clock, maxBucketsPerPolicy, sweepMs }: Required<MemoryDriverOptions>) {
    this.#clock = clock;
    this.#maxBuckets = maxBucketsPerPolicy;
    this.#sweepMs = sweepMs;
  }

  /** How many buckets are held, of all policies or of one. */
  bucketCount(policy?: LimitPolicy): number {
    if (policy) return this.#tables.get(policy.id)?.size ?? 0;
    let count = 0;
    for (const table of this.#tables.values()) count += table.size;
    return count;
  }

  /** Buckets in use that were forgotten for want of room, since the start. */
  get evictions(): number {
    return this.#evictions;
  }

  take(takes: readonly BucketTake[]): TakeOutcome {
    return this.#decide(takes, true);
  }

  peek(takes: readonly BucketTake[]): TakeOutcome {
    return this.#decide(takes, false);
  }

  // Nothing else runs between the two passes: that is the whole of its atomicity.
  #decide(takes: readonly BucketTake[], commit: boolean): TakeOutcome {
    const now = this.#now();
    const count = takes.length;
    const found: Bucket<LimitPolicy>[] = [];
    const waits: number[] = [];
    let allowed = true;
    for (let at = 0; at < count; at++) {
      const { policy, key, cost = 1 } = takes[at]!;
      const bucket = this.#table(policy).find(key);
      const waitMs = bucket.waitMs(policy, cost, now);
      found.push(bucket);
      waits.push(waitMs);
      if (waitMs > 0 && !policy.shadow) allowed = false;
    }
    const buckets: BucketStatus[] = [];
    for (let at = 0; at < count; at++) buckets.push(this.#conclude(takes[at]!, found[at]!, waits[at]!, commit && allowed, now));
    return { allowed, nowMs: this.#clock.now(), buckets };
  }

  #conclude(take: BucketTake, found: Bucket<LimitPolicy>, retryAfterMs: number, commit: boolean, now: number): BucketStatus {
    const { policy, key, cost = 1 } = take;
    const refused = retryAfterMs > 0;
    const taken = commit && !refused;
    let bucket = found;
    let mark: unknown;
    if (taken) {
      bucket = this.#toAddTo(found, policy, key, now);
      mark = bucket.add(policy, cost, now);
    }
    const remaining = bucket.remaining(policy, now);
    return { policy, key, cost, refused, taken, remaining, resetAfterMs: bucket.resetAfterMs(policy, now), retryAfterMs, mark };
  }

  #toAddTo(found: Bucket<LimitPolicy>, policy: LimitPolicy, key: string, now: number): Bucket<LimitPolicy> {
    // It may have been dropped since it was found, for another key of the same step.
    if (found.place >= 0) {
      found.policy = policy;
      return found;
    }
    if (this.#timer === undefined) this.#scheduleSweep();
    return this.#table(policy).add(key, policy, now, this.#onEvicted);
  }

  settle(settlements: readonly Settlement[]): void {
    const now = this.#now();
    for (const { bucket: status, actual } of settlements) {
      if (!status.taken) continue;
      const { policy, key, cost, mark } = status;
      const found = this.#table(policy).find(key);
      // What is no more has drained: there is nothing to give back.
      const bucket = actual > cost ? this.#toAddTo(found, policy, key, now) : found;
      bucket.settle(policy, mark, cost, actual, now);
    }
  }

  renew(leases: readonly BucketStatus[]): boolean {
    const now = this.#now();
    let all = true;
    for (const { policy, key, mark, taken } of leases) {
      if (!taken || policy.kind !== 'concurrency') continue;
      const bucket = this.#table(policy).find(key);
      if (!(bucket instanceof ConcurrencyBucket && bucket.renew(policy, mark, now))) all = false;
    }
    return all;
  }

  list(options: ListOptions = {}): readonly ListedBucket[] {
    const now = this.#now();
    return fullest(this.#all(now), options);
  }

  *#all(now: number): IterableIterator<ListedBucket> {
    for (const table of this.#tables.values()) {
      for (const bucket of table.buckets()) {
        const { key, policy } = bucket;
        yield {
          policy: policy.name,
          kind: policy.kind,
          key,
          used: Math.ceil(bucket.used(policy, now)),
          capacity: policy.kind === 'gcra' ? policy.burst : policy.limit,
          resetAfterMs: bucket.resetAfterMs(policy, now),
        };
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #now(): number {
    return Math.floor(this.#clock.monotonic());
  }

  #table(policy: LimitPolicy): BucketTable {
    return this.#tables.get(policy.id) ?? this.#addTable(policy);
  }

  #addTable(policy: LimitPolicy): BucketTable {
    const table = new BucketTable(
      makers[policy.kind] as (key: string, policy: LimitPolicy) => Bucket<LimitPolicy>,
      policy,
      this.#maxBuckets,
    );
    this.#tables.set(policy.id, table);
    return table;
  }

  readonly #onEvicted = ({ key, policy }: Bucket<LimitPolicy>): void => {
    this.#evictions += 1;
    if (bucketEvicted.hasSubscribers) bucketEvicted.publish({ policy: policy.name, key });
  };

  /** Idle buckets go as new ones come; this is for those that nobody follows. */
  #scheduleSweep(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      const now = this.#now();
      let left = 0;
      for (const [id, table] of this.#tables) {
        table.sweep(Math.min(table.size, bucketsPerSweep), now);
        if (table.size === 0) this.#tables.delete(id);
        left += table.size;
      }
      if (left > 0) this.#scheduleSweep();
    }, this.#sweepMs);
  }
}

const makers = {
  gcra: (key: string, policy: GcraPolicy) => new GcraBucket(key, policy),
  window: (key: string, policy: WindowPolicy) => new WindowBucket(key, policy),
  concurrency: (key: string, policy: ConcurrencyPolicy) => new ConcurrencyBucket(key, policy),
};

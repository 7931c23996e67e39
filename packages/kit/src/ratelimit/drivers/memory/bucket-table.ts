import type { LimitPolicy } from '../../policies/index.ts';
import type { Bucket } from './bucket.ts';

/** How many are looked at for each one that is added. */
const stepsPerAdded = 2;
/** From how many the victim is chosen when none of those was idle. */
const candidates = 16;

/**
 * The buckets of one policy id. One table each, so that who comes under a million addresses pushes out addresses, and never the
 * bucket of an organization.
 */
export class BucketTable<Policy extends LimitPolicy = LimitPolicy> {
  /** An empty bucket to look at where there is none. MUST NOT be added to. */
  readonly blank: Bucket<Policy>;
  readonly #make: (key: string, policy: Policy) => Bucket<Policy>;
  readonly #maxBuckets: number;
  readonly #byKey = new Map<string, Bucket<Policy>>();
  /** The same in a list, to go around in and to draw from. */
  readonly #list: Bucket<Policy>[] = [];
  #cursor = 0;
  #draw = 1;

  constructor(make: (key: string, policy: Policy) => Bucket<Policy>, policy: Policy, maxBuckets: number) {
    this.blank = make('', policy);
    this.#make = make;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#list.length;
  }

  /** `blank` when there is none. */
  find(key: string): Bucket<Policy> {
    return this.#byKey.get(key) ?? this.blank;
  }

  /** Makes the bucket of a key that has none. `onEvicted` hears of another that had to go for it although it was in use. */
  add(key: string, policy: Policy, now: number, onEvicted: (bucket: Bucket<Policy>) => void): Bucket<Policy> {
    this.sweep(stepsPerAdded, now);
    if (this.#list.length >= this.#maxBuckets) this.#evict(now, onEvicted);
    const bucket = this.#make(key, policy);
    bucket.place = this.#list.push(bucket) - 1;
    this.#byKey.set(key, bucket);
    return bucket;
  }

  /** Looks at the next so many and drops those that are as good as new. */
  sweep(steps: number, now: number): void {
    for (let step = 0; step < steps && this.#list.length > 0; step++) {
      if (this.#cursor >= this.#list.length) this.#cursor = 0;
      const bucket = this.#list[this.#cursor]!;
      if (bucket.used(bucket.policy, now) === 0) this.#drop(bucket);
      else this.#cursor += 1;
    }
  }

  buckets(): Iterable<Bucket<Policy>> {
    return this.#list;
  }

  /**
   * Of a few, drawn from all over, the one that is least full: forgetting it gives away least. Neighbours would not do: those
   * that survive end up side by side.
   */
  #evict(now: number, onEvicted: (bucket: Bucket<Policy>) => void): void {
    let victim = this.#list[0]!;
    let leastShare = Number.POSITIVE_INFINITY;
    for (let seen = 0; seen < candidates && leastShare > 0; seen++) {
      // Spreads evenly and needs no secret: whoever could foresee it would gain a place that is least full anyway.
      this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) >>> 0;
      const bucket = this.#list[Math.floor((this.#draw / 0x1_0000_0000) * this.#list.length)]!;
      const { policy } = bucket;
      const share = bucket.used(policy, now) / (policy.kind === 'gcra' ? policy.burst : policy.limit);
      if (share < leastShare) [victim, leastShare] = [bucket, share];
    }
    this.#drop(victim);
    if (leastShare > 0) onEvicted(victim);
  }

  #drop(bucket: Bucket<Policy>): void {
    this.#byKey.delete(bucket.key);
    const last = this.#list.pop()!;
    if (last !== bucket) {
      this.#list[bucket.place] = last;
      last.place = bucket.place;
    }
    bucket.place = -1;
  }
}

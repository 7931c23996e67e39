import type { LimitPolicy } from '../../policies/index.ts';
import type { Bucket } from './bucket.ts';

interface Held<Policy> {
  readonly key: string;
  readonly bucket: Bucket<Policy>;
  /** The policy that it was used with last. */
  policy: Policy;
  /** Where it stands in the list. */
  place: number;
}

/** How many are looked at for each one that is added. */
const stepsPerAdded = 2;
/** From how many the victim is chosen when none of those was idle. */
const candidates = 16;

/**
 * The buckets of one policy id. One table each, so that who comes under a million addresses pushes out addresses, and never the
 * bucket of an organization.
 */
export class BucketTable<Policy extends LimitPolicy = LimitPolicy> {
  readonly #make: () => Bucket<Policy>;
  readonly #blank: Bucket<Policy>;
  readonly #maxBuckets: number;
  readonly #byKey = new Map<string, Held<Policy>>();
  /** The same in a list, to go around in and to draw from. */
  readonly #list: Held<Policy>[] = [];
  #cursor = 0;
  #draw = 1;

  constructor(make: () => Bucket<Policy>, maxBuckets: number) {
    this.#make = make;
    this.#blank = make();
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#list.length;
  }

  /** An empty bucket to look at when there is none. MUST NOT be added to. */
  find(key: string): Bucket<Policy> {
    return this.#byKey.get(key)?.bucket ?? this.#blank;
  }

  /** The bucket to add to. `onEvicted` hears of another that had to go for it although it was in use. */
  obtain(key: string, policy: Policy, now: number, onEvicted: (key: string, policy: Policy) => void): Bucket<Policy> {
    const known = this.#byKey.get(key);
    if (known) {
      known.policy = policy;
      return known.bucket;
    }
    this.sweep(stepsPerAdded, now);
    if (this.#list.length >= this.#maxBuckets) this.#evict(now, onEvicted);
    const held = { key, bucket: this.#make(), policy, place: this.#list.length };
    this.#byKey.set(key, held);
    this.#list.push(held);
    return held.bucket;
  }

  /** Looks at the next so many and drops those that are as good as new. */
  sweep(steps: number, now: number): void {
    for (let step = 0; step < steps && this.#list.length > 0; step++) {
      if (this.#cursor >= this.#list.length) this.#cursor = 0;
      const held = this.#list[this.#cursor]!;
      if (held.bucket.used(held.policy, now) === 0) this.#drop(held);
      else this.#cursor += 1;
    }
  }

  *entries(): IterableIterator<readonly [string, Policy, Bucket<Policy>]> {
    for (const { key, policy, bucket } of this.#list) yield [key, policy, bucket];
  }

  /**
   * Of a few, drawn from all over, the one that is least full: forgetting it gives away least. Neighbours would not do: those
   * that survive end up side by side.
   */
  #evict(now: number, onEvicted: (key: string, policy: Policy) => void): void {
    let victim = this.#list[0]!;
    let leastShare = Number.POSITIVE_INFINITY;
    for (let seen = 0; seen < candidates && leastShare > 0; seen++) {
      // Spreads evenly and needs no secret: whoever could foresee it would gain a place that is least full anyway.
      this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) >>> 0;
      const held = this.#list[Math.floor((this.#draw / 0x1_0000_0000) * this.#list.length)]!;
      const { bucket, policy } = held;
      const share = bucket.used(policy, now) / (policy.kind === 'gcra' ? policy.burst : policy.limit);
      if (share < leastShare) [victim, leastShare] = [held, share];
    }
    this.#drop(victim);
    if (leastShare > 0) onEvicted(victim.key, victim.policy);
  }

  #drop(held: Held<Policy>): void {
    this.#byKey.delete(held.key);
    const last = this.#list.pop()!;
    if (last === held) return;
    this.#list[held.place] = last;
    last.place = held.place;
  }
}

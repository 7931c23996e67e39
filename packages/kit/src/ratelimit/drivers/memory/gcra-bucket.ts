import type { GcraPolicy } from '../../policies/index.ts';
import type { Bucket } from './bucket.ts';

/** What a reservation has to remember of the bucket. All amounts are debt, as weights. */
interface GcraMark {
  readonly generation: number;
  /** Sums up to then of what went in and of what was given back. */
  readonly charged: number;
  readonly returned: number;
  /** What others had reserved and not settled by then. */
  readonly outstanding: number;
}

let generations = 0;

/**
 * GCRA as a debt that drains, all in integers (see `GcraPolicy`): the theoretical arrival time is `atMs + debt ÷ drain`.
 *
 * Giving back is where limits on tokens go wrong. What was reserved drains as time passes, so a full refund after a pause counts
 * the same capacity twice. Owed is what would not have drained had less been reserved: the lowest level since the reservation, on
 * the course that the level would have taken with all refunds until now. A history would tell it; without one it is bounded
 * from below: the level now, less what later takes have added net of their refunds. Those are what came back since, but for what
 * earlier reservations gave back (`earlier`, which is neither more than all that came back nor more than they had outstanding).
 * (Reckoned from the reservation on, the level right after it less all that could drain since less `earlier`, it is never more: a
 * bucket that was empty meanwhile drained less.) So a bucket never admits more than one in which the actual cost had been taken in the
 * first place, and what was settled before as much drained as was reserved ahead of it is exact. What is never settled stays
 * outstanding: later refunds are smaller for it, never larger.
 */
export class GcraBucket implements Bucket<GcraPolicy> {
  readonly key: string;
  policy: GcraPolicy;
  place = -1;
  #generation = 0;
  #weight = 0;
  #atMs = 0;
  #debt = 0;
  #charged = 0;
  #returned = 0;
  #outstanding = 0;

  constructor(key: string, policy: GcraPolicy) {
    this.key = key;
    this.policy = policy;
  }

  waitMs(policy: GcraPolicy, cost: number, now: number): number {
    if (cost > policy.burst) return Number.POSITIVE_INFINITY;
    const excess = this.#debtAt(policy, now) + cost * policy.weight - policy.burst * policy.weight;
    return excess > 0 ? Math.ceil(excess / policy.drain) : 0;
  }

  add(policy: GcraPolicy, cost: number, now: number): GcraMark | undefined {
    this.#charge(policy, cost * policy.weight, now);
    if (policy.unit !== 'tokens') return undefined;
    const mark = {
      generation: this.#generation,
      charged: this.#charged,
      returned: this.#returned,
      outstanding: this.#outstanding,
    };
    this.#outstanding += cost * policy.weight;
    return mark;
  }

  settle(policy: GcraPolicy, mark: unknown, cost: number, actual: number, now: number): void {
    const taken = mark as GcraMark;
    const level = this.#debtAt(policy, now);
    const known = taken.generation === this.#generation;
    if (known) this.#outstanding -= cost * policy.weight;
    if (actual >= cost) return this.#charge(policy, (actual - cost) * policy.weight, now);
    if (!known) return;
    const returned = this.#returned - taken.returned;
    const earlier = Math.min(returned, taken.outstanding);
    const owed = level - (this.#charged - taken.charged - returned + earlier);
    const refund = Math.min((cost - actual) * policy.weight, Math.max(owed, 0));
    this.#debt = level - refund;
    this.#atMs = now;
    this.#returned += refund;
  }

  remaining(policy: GcraPolicy, now: number): number {
    return Math.max(0, Math.floor((policy.burst * policy.weight - this.#debtAt(policy, now)) / policy.weight));
  }

  resetAfterMs(policy: GcraPolicy, now: number): number {
    return Math.ceil(this.#debtAt(policy, now) / policy.drain);
  }

  used(policy: GcraPolicy, now: number): number {
    return this.#debtAt(policy, now) / policy.weight;
  }

  #debtAt(policy: GcraPolicy, now: number): number {
    if (policy.weight !== this.#weight) this.#reweigh(policy.weight);
    const debt = this.#debt - (now - this.#atMs) * policy.drain;
    return debt > 0 ? debt : 0;
  }

  /** The limit was changed: what is owed stays the same number of units. */
  #reweigh(weight: number): void {
    if (this.#debt > 0) this.#debt = Math.min(Math.ceil((this.#debt / this.#weight) * weight), Number.MAX_SAFE_INTEGER);
    this.#weight = weight;
    this.#begin();
  }

  /** Who reserved before gets nothing back: the safe side. */
  #begin(): void {
    this.#generation = ++generations;
    this.#charged = 0;
    this.#returned = 0;
    this.#outstanding = 0;
  }

  #charge(policy: GcraPolicy, amount: number, now: number): void {
    const debt = this.#debtAt(policy, now) + amount;
    this.#debt = debt < Number.MAX_SAFE_INTEGER ? debt : Number.MAX_SAFE_INTEGER;
    this.#atMs = now;
    if (policy.unit !== 'tokens') return;
    this.#charged += amount;
    // Before sums lose units.
    if (this.#charged > Number.MAX_SAFE_INTEGER / 2) this.#begin();
  }
}

import type { ConcurrencyPolicy } from '../../policies/index.ts';
import type { Bucket } from './bucket.ts';

let leases = 0;

/** Leases by number, each with its end. */
export class ConcurrencyBucket implements Bucket<ConcurrencyPolicy> {
  readonly key: string;
  policy: ConcurrencyPolicy;
  place = -1;
  readonly #endsAt = new Map<number, number>();
  /** No lease ends before this. */
  #nextEndMs = Number.POSITIVE_INFINITY;

  constructor(key: string, policy: ConcurrencyPolicy) {
    this.key = key;
    this.policy = policy;
  }

  waitMs(policy: ConcurrencyPolicy, _cost: number, now: number): number {
    this.#forget(now);
    return this.#endsAt.size >= policy.limit ? policy.retryAfterMs : 0;
  }

  add(policy: ConcurrencyPolicy, _cost: number, now: number): number {
    const lease = ++leases;
    this.#setEnd(lease, now + policy.leaseMs);
    return lease;
  }

  settle(_policy: ConcurrencyPolicy, mark: unknown): void {
    this.#endsAt.delete(mark as number);
  }

  renew(policy: ConcurrencyPolicy, mark: unknown, now: number): boolean {
    this.#forget(now);
    if (!this.#endsAt.has(mark as number)) return false;
    this.#setEnd(mark as number, now + policy.leaseMs);
    return true;
  }

  remaining(policy: ConcurrencyPolicy, now: number): number {
    return Math.max(0, policy.limit - this.used(policy, now));
  }

  resetAfterMs(): number {
    return 0;
  }

  used(_policy: ConcurrencyPolicy, now: number): number {
    this.#forget(now);
    return this.#endsAt.size;
  }

  #setEnd(lease: number, endMs: number): void {
    this.#endsAt.set(lease, endMs);
    if (endMs < this.#nextEndMs) this.#nextEndMs = endMs;
  }

  #forget(now: number): void {
    if (now < this.#nextEndMs) return;
    this.#nextEndMs = Number.POSITIVE_INFINITY;
    for (const [lease, endMs] of this.#endsAt) {
      if (endMs <= now) this.#endsAt.delete(lease);
      else if (endMs < this.#nextEndMs) this.#nextEndMs = endMs;
    }
  }
}

import type { WindowPolicy } from '../../policies/index.ts';
import type { Bucket } from './bucket.ts';

/**
 * Counts by slot. Slot `i` is the time from `i × windowMs ÷ slots` on; it is forgotten when all of it is older than the window, so
 * that up to `slots + 1` of them count. Stored sparsely, oldest first, as `slot, count, slot, count …`: a quiet key costs one pair.
 */
export class WindowBucket implements Bucket<WindowPolicy> {
  readonly key: string;
  policy: WindowPolicy;
  place = -1;
  #entries: number[] = [];
  #head = 0;
  #total = 0;

  constructor(key: string, policy: WindowPolicy) {
    this.key = key;
    this.policy = policy;
  }

  waitMs(policy: WindowPolicy, cost: number, now: number): number {
    this.#forget(policy, now);
    let excess = this.#total + cost - policy.limit;
    if (excess <= 0) return 0;
    if (cost > policy.limit) return Number.POSITIVE_INFINITY;
    let at = this.#head;
    for (; at < this.#entries.length; at += 2) {
      excess -= this.#entries[at + 1]!;
      if (excess <= 0) break;
    }
    return leavesAt(policy, this.#entries[at]!) - now;
  }

  // Neither of the next two has to forget first: what is old goes with the next look, and what is added or given back is not.
  add(policy: WindowPolicy, cost: number, now: number): number {
    const slot = slotOf(policy, now);
    if (cost === 0) return slot;
    this.#total += cost;
    const last = this.#entries.length - 2;
    if (last >= this.#head && this.#entries[last] === slot) this.#entries[last + 1]! += cost;
    // A literal is as long as it has to be; pushing onto an empty array would make room for 17 numbers.
    else if (this.#entries.length === 0) this.#entries = [slot, cost];
    else this.#entries.push(slot, cost);
    return slot;
  }

  /** Exact: what is given back is taken out of the very slot in which it was counted, if that is still there. */
  settle(policy: WindowPolicy, mark: unknown, cost: number, actual: number, now: number): void {
    if (actual >= cost) {
      this.add(policy, actual - cost, now);
      return;
    }
    for (let at = this.#head; at < this.#entries.length; at += 2) {
      if (this.#entries[at] !== mark) continue;
      const refund = Math.min(cost - actual, this.#entries[at + 1]!);
      this.#entries[at + 1]! -= refund;
      this.#total -= refund;
      return;
    }
  }

  remaining(policy: WindowPolicy, now: number): number {
    this.#forget(policy, now);
    return Math.max(0, policy.limit - this.#total);
  }

  resetAfterMs(policy: WindowPolicy, now: number): number {
    this.#forget(policy, now);
    for (let at = this.#entries.length - 2; at >= this.#head; at -= 2) {
      if (this.#entries[at + 1]! > 0) return leavesAt(policy, this.#entries[at]!) - now;
    }
    return 0;
  }

  used(policy: WindowPolicy, now: number): number {
    this.#forget(policy, now);
    return this.#total;
  }

  #forget(policy: WindowPolicy, now: number): void {
    const entries = this.#entries;
    if (this.#head === entries.length) return;
    const newestGone = slotOf(policy, now) - policy.slots - 1;
    let head = this.#head;
    while (head < entries.length && entries[head]! <= newestGone) {
      this.#total -= entries[head + 1]!;
      head += 2;
    }
    if (head === this.#head) return;
    if (head === entries.length) {
      this.#entries = [];
      head = 0;
    } else if (head >= 32) {
      entries.splice(0, head);
      head = 0;
    }
    this.#head = head;
  }
}

function slotOf(policy: WindowPolicy, now: number): number {
  return Math.floor((now * policy.slots) / policy.windowMs);
}

/** The first millisecond at which nothing of the slot is within the window. */
function leavesAt(policy: WindowPolicy, slot: number): number {
  return Math.ceil(((slot + 1 + policy.slots) * policy.windowMs) / policy.slots);
}

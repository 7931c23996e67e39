import type { GcraPolicy, WindowPolicy } from '../policies/index.ts';

/**
 * GCRA as it is written down (ITU-T I.371, virtual scheduling), in rational arithmetic: times are integers in units of 1 ÷ limit ms, so
 * that the emission interval, `periodMs ÷ limit`, is a whole number of them.
 */
export class GcraModel {
  readonly #policy: GcraPolicy;
  #arrival = 0n;

  constructor(policy: GcraPolicy) {
    this.#policy = policy;
  }

  take(cost: number, nowMs: number): boolean {
    const next = this.#next(cost, nowMs);
    const allowed = next - this.#unit(nowMs) <= BigInt(this.#policy.burst) * BigInt(this.#policy.periodMs);
    if (allowed) this.#arrival = next;
    return allowed;
  }

  /** Takes whether there is room or not. */
  force(cost: number, nowMs: number): void {
    this.#arrival = this.#next(cost, nowMs);
  }

  remaining(nowMs: number): number {
    const { burst, periodMs } = this.#policy;
    const room = BigInt(burst) * BigInt(periodMs) - this.#debt(nowMs);
    return room > 0n ? Number(room / BigInt(periodMs)) : 0;
  }

  resetAfterMs(nowMs: number): number {
    const limit = BigInt(this.#policy.limit);
    return Number((this.#debt(nowMs) + limit - 1n) / limit);
  }

  #next(cost: number, nowMs: number): bigint {
    const now = this.#unit(nowMs);
    return (this.#arrival > now ? this.#arrival : now) + BigInt(cost) * BigInt(this.#policy.periodMs);
  }

  #debt(nowMs: number): bigint {
    const debt = this.#arrival - this.#unit(nowMs);
    return debt > 0n ? debt : 0n;
  }

  #unit(nowMs: number): bigint {
    return BigInt(nowMs) * BigInt(this.#policy.limit);
  }
}

/** Every cost with its time. */
export class SlidingLog {
  readonly #policy: WindowPolicy;
  readonly #log: { readonly atMs: number; cost: number }[] = [];

  constructor(policy: WindowPolicy) {
    this.#policy = policy;
  }

  add(cost: number, atMs: number): { cost: number } {
    const entry = { atMs, cost };
    this.#log.push(entry);
    return entry;
  }

  /** Units within the window that ends now. */
  within(nowMs: number): number {
    return this.#sum(nowMs, this.#policy.windowMs);
  }

  /** Units within the window and one slot more: at most this is what a driver may still count. */
  withinSlot(nowMs: number): number {
    const { windowMs, slots } = this.#policy;
    return this.#sum(nowMs, windowMs + windowMs / slots);
  }

  #sum(nowMs: number, lengthMs: number): number {
    let sum = 0;
    for (const { atMs, cost } of this.#log) if (atMs > nowMs - lengthMs) sum += cost;
    return sum;
  }
}

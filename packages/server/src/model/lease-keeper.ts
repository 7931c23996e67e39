import type { Decision } from '@holdfast/kit/ratelimit';
import type { Clock, Timer } from '@holdfast/kit/time';

/** Renews the places of calls that are under way, by one timer for all of them, which ends with its first turn that finds none. */
export class LeaseKeeper {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #held = new Set<Decision>();
  #timer: Timer | undefined;

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock;
    // Two may be lost before the lease is.
    this.#everyMs = leaseMs / 3;
  }

  hold(decision: Decision): void {
    this.#held.add(decision);
    this.#timer ??= this.#clock.setTimeout(() => this.#renew(), this.#everyMs);
  }

  /** MUST be called when the call ends, however it ends. */
  drop(decision: Decision): void {
    this.#held.delete(decision);
  }

  #renew(): void {
    // Here and not with the last call that ends, or calls that come one after the other would set a timer each.
    if (this.#held.size === 0) {
      this.#timer = undefined;
      return;
    }
    this.#timer?.refresh();
    for (const decision of this.#held) {
      try {
        // One that had ended, because nobody could be reached for long, cannot be had back: its call goes on all the same.
        const renewed = decision.renew();
        if (renewed instanceof Promise) renewed.catch(() => {});
      } catch {
        // The next turn tries again.
      }
    }
  }
}

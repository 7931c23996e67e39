import type { Clock } from '../../time/index.ts';

/**
 * How many instances there are, as last known. A smaller number is believed only when it has lasted: a store that comes back empty
 * hears from the instances one after the other, and whoever believed the first count would take too large a share.
 */
export class FleetSize {
  readonly #clock: Clock;
  readonly #settleMs: number;
  #size: number;
  #smallerSinceMs: number | undefined;

  constructor(clock: Clock, size: number, settleMs: number) {
    this.#clock = clock;
    this.#size = size;
    this.#settleMs = settleMs;
  }

  get size(): number {
    return this.#size;
  }

  count(reported: number): void {
    const now = this.#clock.monotonic();
    if (reported >= this.#size) {
      this.#size = reported;
      this.#smallerSinceMs = undefined;
    } else if (this.#smallerSinceMs === undefined) {
      this.#smallerSinceMs = now;
    } else if (now - this.#smallerSinceMs >= this.#settleMs) {
      this.#size = Math.max(1, reported);
      this.#smallerSinceMs = undefined;
    }
  }

  /** Nothing is heard: what was seen before does not count as lasting. */
  lose(): void {
    this.#smallerSinceMs = undefined;
  }
}

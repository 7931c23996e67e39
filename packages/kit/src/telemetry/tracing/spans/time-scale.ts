import type { Clock } from '../../../time/index.ts';
import { double } from '../span.ts';

/** Turns monotonic milliseconds into Unix ones: all of one request by one pair of readings, so that its spans fit together. */
export class TimeScale {
  readonly nowMs: number;
  readonly #offsetMs: number;

  constructor(clock: Clock) {
    const monotonic = clock.monotonic();
    this.nowMs = clock.now();
    this.#offsetMs = this.nowMs - monotonic;
  }

  unixMs(monotonicMs: number): number {
    return monotonicMs + this.#offsetMs;
  }

  /** Milliseconds or seconds as an attribute: to the microsecond, and a double. */
  double(value: number): number {
    return double(Math.round(value * 1e6) / 1e6);
  }
}

import type { Clock } from '@holdfast/kit/time';

/**
 * Time that passes with the clock, but between two calls by no more than `maxGapMs`. What was learnt from calls is forgotten
 * by this time: on the clock alone, a model that is called every few minutes would have forgotten everything at each call,
 * and send every second one to the target that it knew to be slow.
 */
export class TrafficClock {
  readonly #clock: Clock;
  readonly #maxGapMs: number;
  #calledAt: number;
  #elapsedMs = 0;

  constructor(clock: Clock, maxGapMs: number) {
    this.#clock = clock;
    this.#maxGapMs = maxGapMs;
    this.#calledAt = clock.monotonic();
  }

  /** A call begins. */
  tick(): void {
    this.#elapsedMs = this.read();
    this.#calledAt = this.#clock.monotonic();
  }

  /** Milliseconds from an arbitrary start; never goes back. */
  read(): number {
    return this.#elapsedMs + Math.min(this.#clock.monotonic() - this.#calledAt, this.#maxGapMs);
  }
}

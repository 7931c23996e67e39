import type { Clock, Timer } from '../../time/index.ts';

export const resolutionMs = 20;
/** Of one turn: a process that was stopped for an hour must not spend a minute on saying so. */
const maxObservations = 5_000;

/**
 * How late a timer is that falls due every 20 ms. A turn of the loop that takes a second makes one firing late, where a loop that turns makes fifty:
 * the firings that it kept from happening are observed with it (HdrHistogram's correction for coordinated omission), each less late by
 * its 20 ms. Costs some 150 µs of processor time a second.
 */
export class EventLoopDelay {
  readonly #clock: Clock;
  readonly #observe: (seconds: number) => void;
  readonly #timer: Timer;
  #dueAt: number;

  constructor(clock: Clock, observe: (seconds: number) => void) {
    this.#clock = clock;
    this.#observe = observe;
    this.#dueAt = clock.monotonic() + resolutionMs;
    this.#timer = clock.setTimeout(() => this.#fire(), resolutionMs);
  }

  close(): void {
    this.#timer.cancel();
  }

  #fire(): void {
    const now = this.#clock.monotonic();
    let lateMs = Math.max(0, now - this.#dueAt);
    this.#observe(lateMs / 1_000);
    for (let times = 1; times < maxObservations && lateMs > resolutionMs; times++) {
      lateMs -= resolutionMs;
      this.#observe(lateMs / 1_000);
    }
    this.#dueAt = now + resolutionMs;
    this.#timer.refresh();
  }
}

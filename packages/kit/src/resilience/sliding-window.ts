import type { Clock } from '../time/index.ts';

const slotCount = 10;

/**
 * Counts two things over a window that moves on by tenths: it is between nine and ten tenths long. Fixed size, no timer.
 */
export class SlidingWindow {
  readonly #clock: Clock;
  readonly #slotMs: number;
  readonly #first = new Uint32Array(slotCount);
  readonly #second = new Uint32Array(slotCount);
  #slot: number;

  constructor(windowMs: number, clock: Clock) {
    this.#clock = clock;
    this.#slotMs = windowMs / slotCount;
    this.#slot = this.#slotNow();
  }

  add(first: number, second: number): void {
    const at = this.#advance();
    this.#first[at]! += first;
    this.#second[at]! += second;
  }

  totals(): readonly [first: number, second: number] {
    this.#advance();
    let first = 0;
    let second = 0;
    for (let at = 0; at < slotCount; at++) {
      first += this.#first[at]!;
      second += this.#second[at]!;
    }
    return [first, second];
  }

  clear(): void {
    this.#first.fill(0);
    this.#second.fill(0);
  }

  #slotNow(): number {
    return Math.floor(this.#clock.monotonic() / this.#slotMs);
  }

  /** Clears the slots whose time has come round again, and returns the place of the current one. */
  #advance(): number {
    const now = this.#slotNow();
    if (now !== this.#slot) {
      for (let slot = Math.max(this.#slot + 1, now - slotCount + 1); slot <= now; slot++) {
        this.#first[slot % slotCount] = 0;
        this.#second[slot % slotCount] = 0;
      }
      this.#slot = now;
    }
    return now % slotCount;
  }
}

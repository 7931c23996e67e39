import type { Awaitable, RateLimitDriver } from '../driver.ts';

/** A driver on an empty store. */
export interface RateLimitHarness {
  readonly driver: RateLimitDriver;
  /** Lets time pass for the driver, in whole milliseconds: by a clock that was handed to it, or by waiting. */
  advance(elapsedMs: number): Awaitable<void>;
  close(): Awaitable<void>;
}

/** A guarantee, and the code that throws when it does not hold. */
export interface RateLimitContractCase {
  readonly name: string;
  run(): Promise<void>;
}

/** Chance that repeats itself. */
export function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * sides);
  };
}

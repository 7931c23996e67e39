import type { Clock } from '@holdfast/kit/time';
import { PeakEwma, type PeakEwmaNumbers } from './peak-ewma.ts';
import { TrafficClock } from './traffic-clock.ts';

export interface LatencyNumbers extends PeakEwmaNumbers {
  /** Between two calls no more than this counts as time in which something is forgotten, in milliseconds. */
  readonly maxGapMs: number;
}

/**
 * With these a target that was twice as slow is tried again after 14 s of traffic, one that was 40 times as slow after 75 s; with a
 * call a minute, after 14 and 75 calls.
 */
export const latencyDefaults: LatencyNumbers = Object.freeze({
  decayMs: 20_000,
  failurePenaltyMs: 10_000,
  maxPenalizedMs: 120_000,
  maxGapMs: 1_000,
});

/** What is known of the latencies of targets, by their names. Outlives the targets themselves, which a reload makes anew. */
export class Latencies {
  /** To be told of each call that chooses by what is known here. */
  readonly traffic: TrafficClock;
  readonly #numbers: LatencyNumbers;
  readonly #clock: Clock;
  readonly #byTarget = new Map<string, PeakEwma>();

  constructor(clock: Clock, numbers: LatencyNumbers = latencyDefaults) {
    this.#clock = clock;
    this.#numbers = numbers;
    this.traffic = new TrafficClock(clock, numbers.maxGapMs);
  }

  of(target: string): PeakEwma {
    let known = this.#byTarget.get(target);
    if (!known) this.#byTarget.set(target, (known = new PeakEwma(this.#numbers, this.#clock, this.traffic)));
    return known;
  }
}

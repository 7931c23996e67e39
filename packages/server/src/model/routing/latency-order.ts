import type { Clock, Random } from '@holdfast/kit/time';
import { PeakEwma, type LatencyObserver, type PeakEwmaNumbers } from './peak-ewma.ts';
import type { TargetOrdering } from './target-ordering.ts';
import { TrafficClock } from './traffic-clock.ts';

export interface LatencyOrderNumbers extends PeakEwmaNumbers {
  /** Between two calls no more than this counts as time in which something is forgotten, in milliseconds. */
  readonly maxGapMs: number;
}

/**
 * With these a target that was twice as slow is tried again after 14 s of traffic, one that was 40 times as slow or failed
 * after 75 s; with a call a minute, after 14 and 75 calls.
 */
export const latencyOrderDefaults: LatencyOrderNumbers = Object.freeze({
  decayMs: 20_000,
  failurePenaltyMs: 10_000,
  maxPenalizedMs: 120_000,
  maxGapMs: 1_000,
});

export interface LatencyOrderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly numbers?: LatencyOrderNumbers;
}

export interface LatencyOrdering<Target> extends TargetOrdering<Target> {
  /** To be told of every try at the target. */
  observerOf(target: Target): LatencyObserver;
}

/**
 * Strategy `latency`: of two targets drawn at random the one that will answer sooner; the others follow by the same measure.
 * Two and not all, so that a thousand calls in one moment do not all take the target that was best before it
 * (M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 */
export function latencyOrder<Target>(targets: readonly Target[], options: LatencyOrderOptions): LatencyOrdering<Target> {
  const { clock, random, numbers = latencyOrderDefaults } = options;
  const traffic = new TrafficClock(clock, numbers.maxGapMs);
  const observers = targets.map(() => new PeakEwma(numbers, clock, traffic));
  const byTarget = new Map(targets.map((target, at) => [target, observers[at]!]));
  const count = targets.length;
  const loads = new Float64Array(count);
  return {
    observerOf: (target) => byTarget.get(target)!,
    order() {
      traffic.tick();
      if (count < 2) return targets;
      for (let at = 0; at < count; at++) loads[at] = observers[at]!.load();
      const one = below(count, random);
      // The other one, each of the rest with the same chance.
      const other = (one + 1 + below(count - 1, random)) % count;
      const first = loads[other]! < loads[one]! ? other : one;
      const ordered: Target[] = [targets[first]!];
      const places: number[] = [first];
      for (let next = 0; next < count; next++) {
        if (next === first) continue;
        let at = ordered.length;
        for (; at > 1 && loads[places[at - 1]!]! > loads[next]!; at--) {
          places[at] = places[at - 1]!;
          ordered[at] = ordered[at - 1]!;
        }
        places[at] = next;
        ordered[at] = targets[next]!;
      }
      return ordered;
    },
  };
}

function below(count: number, random: Random): number {
  return Math.min(count - 1, Math.floor(random.next() * count));
}

import type { Random } from '@holdfast/kit/time';
import type { Latencies } from './latencies.ts';
import type { TargetOrdering } from './target-ordering.ts';

/**
 * Strategy `latency`: of two targets drawn at random the one that will answer sooner; the others follow by the same measure.
 * Two and not all, so that a thousand calls in one moment do not all take the target that was best before it
 * (M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 */
export function latencyOrder<Target extends { readonly name: string }>(
  targets: readonly Target[],
  latencies: Latencies,
  random: Random,
): TargetOrdering<Target> {
  const known = targets.map(({ name }) => latencies.of(name));
  const count = targets.length;
  const loads = new Float64Array(count);
  return {
    order() {
      latencies.traffic.tick();
      if (count < 2) return targets;
      for (let at = 0; at < count; at++) loads[at] = known[at]!.load();
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

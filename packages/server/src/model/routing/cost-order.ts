import type { TargetOrdering } from './target-ordering.ts';

/** What a call will cost at a target; null when the price is not known. */
export type CostEstimate<Target, Call> = (target: Target, call: Call) => number | null;

/**
 * Strategy `cost`: the cheapest for this call first. Equal ones stay as configured; an unknown price is no low one, so those
 * come last.
 */
export function costOrder<Target, Call>(targets: readonly Target[], costOf: CostEstimate<Target, Call>): TargetOrdering<Target, Call> {
  return {
    order(call) {
      const ordered = targets.slice();
      const costs: number[] = [];
      // By insertion: there are few, mostly in order already, and equal ones keep their places.
      for (let next = 0; next < targets.length; next++) {
        const target = targets[next]!;
        const cost = costOf(target, call) ?? Number.POSITIVE_INFINITY;
        let at = next;
        for (; at > 0 && costs[at - 1]! > cost; at--) {
          costs[at] = costs[at - 1]!;
          ordered[at] = ordered[at - 1]!;
        }
        costs[at] = cost;
        ordered[at] = target;
      }
      return ordered;
    },
  };
}

/**
 * Strategy `cost`: the cheapest first. Equal ones stay as configured; an unknown price (null) is no low one, so those come last.
 * `costOf` is asked once for each target.
 */
export function orderByCost<Target>(targets: readonly Target[], costOf: (target: Target) => number | null): readonly Target[] {
  const ordered = targets.slice();
  const costs: number[] = [];
  // By insertion: there are few, mostly in order already, and equal ones keep their places.
  for (let next = 0; next < targets.length; next++) {
    const target = targets[next]!;
    const cost = costOf(target) ?? Number.POSITIVE_INFINITY;
    let at = next;
    for (; at > 0 && costs[at - 1]! > cost; at--) {
      costs[at] = costs[at - 1]!;
      ordered[at] = ordered[at - 1]!;
    }
    costs[at] = cost;
    ordered[at] = target;
  }
  return ordered;
}

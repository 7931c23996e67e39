import type { Random } from '@holdfast/kit/time';
import type { TargetOrdering } from './target-ordering.ts';

/**
 * Strategy `weighted`: the first is drawn by weight, and each next one by weight from those that are left. So the calls of
 * a target that fails are shared by the others as if it were not there. Those of weight 0 are never drawn: they come
 * last, as configured.
 *
 * `weights` has a number ≥ 0 for each target.
 */
export function weightedOrder<Target>(targets: readonly Target[], weights: readonly number[], random: Random): TargetOrdering<Target> {
  const idle = targets.filter((_, at) => !(weights[at]! > 0));
  const drawn = targets.filter((_, at) => weights[at]! > 0);
  const drawnWeights = weights.filter((weight) => weight > 0);
  const total = drawnWeights.reduce((sum, weight) => sum + weight, 0);
  if (drawn.length < 2) {
    const only = [...drawn, ...idle];
    return { order: () => only };
  }
  return {
    order() {
      const ordered = drawn.slice();
      const left = drawnWeights.slice();
      let leftTotal = total;
      for (let at = 0; at < ordered.length - 1; at++) {
        const chosen = draw(left, at, random.next() * leftTotal);
        leftTotal -= left[chosen]!;
        swap(ordered, at, chosen);
        swap(left, at, chosen);
      }
      for (const target of idle) ordered.push(target);
      return ordered;
    },
  };
}

/** The index, from `from` on, in whose stretch of the weights laid end to end the point lies. */
function draw(weights: readonly number[], from: number, point: number): number {
  let end = 0;
  const last = weights.length - 1;
  // Rounding may leave the point a hair behind the end of the last stretch.
  for (let at = from; at < last; at++) if (point < (end += weights[at]!)) return at;
  return last;
}

function swap(list: unknown[], a: number, b: number): void {
  const value = list[a];
  list[a] = list[b];
  list[b] = value;
}

import type { TargetOrdering } from './target-ordering.ts';

/**
 * Moves targets that would turn the call away to the end, in their order: they are still tried when nothing else is left.
 * Of a weighted order what remains is as if they had not been drawn.
 */
export function availableFirst<Target, Call>(
  ordering: TargetOrdering<Target, Call>,
  isAvailable: (target: Target) => boolean,
): TargetOrdering<Target, Call> {
  return {
    order(call) {
      const ordered = ordering.order(call);
      let at = 0;
      while (at < ordered.length && isAvailable(ordered[at]!)) at++;
      // Mostly all are, and nothing is copied.
      if (at === ordered.length) return ordered;
      const available = ordered.slice(0, at);
      const others: Target[] = [ordered[at]!];
      for (at++; at < ordered.length; at++) (isAvailable(ordered[at]!) ? available : others).push(ordered[at]!);
      for (const target of others) available.push(target);
      return available;
    },
  };
}

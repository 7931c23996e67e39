import type { TargetOrdering } from './target-ordering.ts';

/** Strategy `fallback`: as they stand in the configuration. */
export function configuredOrder<Target>(targets: readonly Target[]): TargetOrdering<Target> {
  return { order: () => targets };
}

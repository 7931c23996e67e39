/**
 * Decides which target of a model a call asks first, and which after a failure. What `order` returns has every target that
 * the ordering was made for exactly once; it may be shared between calls, so it is not to be written to.
 */
export interface TargetOrdering<Target, Call = unknown> {
  order(call: Call): readonly Target[];
}

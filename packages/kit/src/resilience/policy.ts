import type { CallContext } from './call-context.ts';

/**
 * Some work, as policies see it. It SHOULD stop when the context's cancellation (or `signal`) says so: policies do not
 * wait for work that does not, but they cannot end it either.
 */
export type Operation<T> = (context: CallContext) => Promise<T>;

/** A behaviour around an operation. */
export type Policy = <T>(next: Operation<T>) => Operation<T>;

/** Policies as one, the first one outermost. Applied once, it serves any number of calls. */
export function compose(...policies: readonly Policy[]): Policy {
  return <T>(next: Operation<T>): Operation<T> => policies.reduceRight((inner, policy) => policy(inner), next);
}

/** Calls an operation; what it throws at once is a rejection too, so that no policy is left half way. */
export function start<T>(next: Operation<T>, context: CallContext): Promise<T> {
  try {
    return next(context);
  } catch (error) {
    return Promise.reject(error);
  }
}

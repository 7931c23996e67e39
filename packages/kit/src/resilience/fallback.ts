import type { CallContext } from './call-context.ts';
import { checkFunction, checkKeys, optionFault } from './check-options.ts';
import { classifyFailure } from './classify-failure.ts';
import { fallbackUsed } from './events.ts';
import { causeTraits, type FailureClassifier } from './failure-cause.ts';
import { start, type Operation } from './policy.ts';

export interface FallbackOptions {
  /** For announcements. Default `default`. */
  readonly name?: string;
  /** Default `classifyFailure`: anything but a request at fault and a caller that has gone goes on to the next. */
  readonly classify?: FailureClassifier;
}

export type FallbackSettings = Required<FallbackOptions>;

export function readFallbackOptions(alternatives: readonly unknown[], options: FallbackOptions): FallbackSettings {
  checkKeys('fallback', options, ['name', 'classify']);
  if (!Array.isArray(alternatives) || alternatives.length === 0) {
    throw optionFault('the alternatives of fallback', 'a list of at least one function', alternatives);
  }
  for (const alternative of alternatives) checkFunction('an alternative of fallback', alternative as () => unknown);
  const { name = 'default', classify = classifyFailure } = options;
  return { name, classify: checkFunction('fallback.classify', classify) };
}

/** A chain: what fails is tried at the next alternative, in order, each with policies of its own. */
export function fallback<T>(alternatives: readonly Operation<T>[], options: FallbackOptions = {}): (next: Operation<T>) => Operation<T> {
  const settings = readFallbackOptions(alternatives, options);
  return (next) => {
    const chain = [next, ...alternatives];
    return (context) => runChain(settings, chain, context);
  };
}

/**
 * The last failure is passed on; but where targets were refused by policies of ours (an open breaker), the latest that a
 * target itself gave, which says more.
 */
export async function runChain<T>(settings: FallbackSettings, chain: readonly Operation<T>[], context: CallContext): Promise<T> {
  const { name, classify } = settings;
  let told: { readonly error: unknown } | undefined;
  for (let at = 0; ; at++) {
    try {
      return await start(chain[at]!, context);
    } catch (error) {
      if (context.cancellation.cancelled) throw error;
      const cause = classify(error);
      if (cause !== 'refused' || !told) told = { error };
      if (at === chain.length - 1 || context.committed || !causeTraits[cause].mayTryNextTarget) throw told.error;
      if (fallbackUsed.hasSubscribers) fallbackUsed.publish({ name, alternative: at + 1, cause, error });
    }
  }
}

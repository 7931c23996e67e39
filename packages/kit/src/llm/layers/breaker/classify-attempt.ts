import { isHoldfastError } from '../../../errors/index.ts';
import { classifyFailure, type FailureClassifier } from '../../../resilience/index.ts';
import { AttemptError } from '../../spec/index.ts';

/**
 * How a breaker around attempts judges: as `classifyFailure`, but that it counts nothing for which the target is not to blame:
 * an answer that was cut short because it was long or read slowly, a call whose time was used up before or in a queue of
 * ours, and a fault of ours (`unknown`), which the request of one client might provoke for all.
 */
export const classifyAttempt: FailureClassifier = (error) => {
  if (error instanceof AttemptError && error.blameless) return 'cancelled';
  if (isHoldfastError(error) && error.code === 'deadline_exceeded') return 'cancelled';
  const cause = classifyFailure(error);
  return cause === 'unknown' ? 'cancelled' : cause;
};

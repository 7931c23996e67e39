import { createExecute, type CircuitBreaker } from '../../../resilience/index.ts';
import type { AttemptLayer } from '../../spec/index.ts';

/**
 * Keeps attempts from a target that fails. The breaker is the target's: share it among all routes that lead there. A permit is
 * held until the answer is whole or broken, so that a stream counts by how it ended; one that the client gave up, or that
 * lost a race, counts neither way. A refusal is `circuit_open` and not retried at the same target, and a retry is never
 * the probe of an open breaker.
 */
export function attemptBreaker(breaker: CircuitBreaker): AttemptLayer {
  const execute = createExecute(breaker.policy, true);
  return (next) => (request, sink) => execute(() => next(request, sink), request);
}

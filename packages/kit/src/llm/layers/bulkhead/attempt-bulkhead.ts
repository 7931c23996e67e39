import { createExecute, type Bulkhead } from '../../../resilience/index.ts';
import type { AttemptLayer } from '../../spec/index.ts';

/**
 * Bounds the attempts that are under way at a target, the streams that still run among them; the others wait in line, first
 * come, first served. The bulkhead is the target's: share it among all routes that lead there. Refuses with `concurrency_limited`.
 */
export function attemptBulkhead(bulkhead: Bulkhead): AttemptLayer {
  const execute = createExecute(bulkhead.policy, true);
  return (next) => (request, sink) => execute(() => next(request, sink), request);
}

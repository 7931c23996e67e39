import type { ModelCall } from '../model-call.ts';
import type { Target } from '../model-route.ts';
import type { TargetRequest } from '../target-request.ts';

/**
 * Where the second attempt of a call goes whose first one, at the target at `at`, is late: to the next target in the order of the call
 * whose breaker is closed, since to probe another one is not its task. To the same target only where there is no other: an answer
 * that is late there by accident may come at once the second time.
 */
export function spareOf(call: ModelCall, targets: readonly Target[], at: number): TargetRequest['spare'] {
  return (own) => {
    if (targets.length === 1) return own;
    const spare = targets.find(({ breaker }, place) => place > at && (breaker === undefined || breaker.state === 'closed'));
    if (spare === undefined) return undefined;
    const latency = call.record.route!.routing.latencyOf(spare, call);
    return (request, sink) => spare.once({ ...request, model: spare.model, latency, spare: undefined }, sink);
  };
}

import type { Clock } from '@holdfast/kit/time';
import type { ModelCall } from '../model-call.ts';
import type { Target } from '../model-route.ts';
import type { TargetRequest } from '../target-request.ts';
import { spentBy } from './spent-targets.ts';

/**
 * Where the second attempt of a call goes whose first one, at the target at `at`, is late: to the next target in the order of the call
 * whose breaker is closed, since to probe another one is not its task. To the same target only where there is no other: an answer
 * that is late there by accident may come at once the second time.
 */
export function spareOf(call: ModelCall, targets: readonly Target[], at: number, clock: Clock): TargetRequest['spare'] {
  return (own) => {
    if (targets.length === 1) return hasRoom(targets[0]!) ? own : undefined;
    const now = clock.monotonic();
    const spare = targets.find(
      (each, place) =>
        place > at &&
        (each.breaker === undefined || each.breaker.state === 'closed') &&
        hasRoom(each) &&
        spentBy(call.record, each.name, now) === undefined,
    );
    if (spare === undefined) return undefined;
    const latency = call.record.route!.routing.latencyOf(spare, call);
    return (request, sink) => spare.once({ ...request, model: spare.model, latency, spare: undefined }, sink);
  };
}

/** A second attempt that waits in line comes too late, and perhaps after the first was told to wait. */
function hasRoom({ bulkhead }: Target): boolean {
  if (bulkhead === undefined) return true;
  const { inUse, limit } = bulkhead.status();
  return inUse < limit;
}

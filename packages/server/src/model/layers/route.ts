import { toHoldfastError, type HoldfastError } from '@holdfast/kit/errors';
import { targetChosen, type AttemptResult, type RestartableSink } from '@holdfast/kit/llm';
import { causeTraits } from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';
import type { CallNext, ModelCall } from '../model-call.ts';
import type { ModelRoute, Target } from '../model-route.ts';
import { HoldBackSink } from './hold-back-sink.ts';
import { spareOf } from './spare-of.ts';
import { spentBy, whoFailed } from './spent-targets.ts';
import { RouteSink } from './route-sink.ts';
import { finalError, moreTelling, targetFailure, type TargetFailure } from './told-failure.ts';

/**
 * Sends the call to the targets of its route in the order of its strategy. The next one is tried when the one before failed in a way
 * that another may not, and only while the client has no byte.
 */
export function routeCall(clock: Clock): CallNext {
  return async (call) => {
    const route = call.record.route!;
    const { routing, totalMs, holdBackMs } = route;
    const targets = routing.order(call);
    announceChoice(route, targets);
    if (call.record.tracing) call.record.tracing.routedAt = clock.monotonic();
    const deadlineAt = clock.monotonic() + totalMs;
    const routeSink = new RouteSink(call, clock);
    const held = holdBackMs > 0 && call.stream ? new HoldBackSink(routeSink, holdBackMs, clock) : undefined;
    const failures: TargetFailure[] = [];
    let told: TargetFailure | undefined;
    for (let at = 0; at < targets.length; at++) {
      const target = targets[at]!;
      if (call.context.cancellation.cancelled) throw call.context.cancellation.reason;
      try {
        const spent = call.record.racedFailures && spentBy(call.record, target.name, clock.monotonic());
        if (spent) throw spent;
        const result = await attemptTarget(call, targets, at, held ?? routeSink, deadlineAt, clock);
        held?.release();
        routing.completed(call, result);
        return result;
      } catch (thrown) {
        const error = toHoldfastError(thrown);
        if (call.sink.begun || call.context.cancellation.cancelled) throw error;
        const failure = targetFailure(error, whoFailed(call.record, target, targets, error), call);
        if (failure.cause === 'refused') recordRefusal(call, target, error);
        failures.push(failure);
        told = moreTelling(told, failure);
        if (!causeTraits[failure.cause].mayTryNextTarget || failure.cause === 'unknown' || clock.monotonic() >= deadlineAt) break;
      }
    }
    throw finalError(failures, told!, call);
  };
}

function attemptTarget(
  call: ModelCall,
  targets: readonly Target[],
  at: number,
  sink: RestartableSink,
  deadlineAt: number,
  clock: Clock,
): Promise<AttemptResult> {
  const target = targets[at]!;
  const { routing, hedged } = call.record.route!;
  return target.attempt(
    {
      operation: call.operation,
      dialect: call.dialect,
      model: target.model,
      stream: call.stream,
      body: call.body,
      headers: call.headers,
      cancellation: call.context.cancellation,
      deadlineAt,
      callId: call.id,
      requestId: call.context.requestId,
      principal: call.context.principal,
      journal: call.record,
      latency: routing.latencyOf(target, call),
      spare: hedged ? spareOf(call, targets, at, clock) : undefined,
    },
    sink,
  );
}

function announceChoice({ name, routing }: ModelRoute, targets: readonly Target[]): void {
  if (targets.length < 2 || !targetChosen.hasSubscribers) return;
  targetChosen.publish({ model: name, strategy: routing.strategy, target: targets[0]!.name });
}

/** A policy of ours kept the call from the target: no attempt, but why another one served. */
function recordRefusal({ record }: ModelCall, { provider, model }: Target, { code }: HoldfastError): void {
  record.attempts.push({ provider: provider.name, model, outcome: 'refused', error_code: code, latency_ms: 0 });
}

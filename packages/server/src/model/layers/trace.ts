import { toHoldfastError } from '@holdfast/kit/errors';
import { callFinished } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import type { CallLayer, ModelCall, SettledCall } from '../model-call.ts';

/** Announces every call once it has ended, refused ones too. Outermost, so that it sees what all others did. */
export function traceLayer(clock: Clock): CallLayer {
  return (next) => async (call) => {
    call.record.layers['door'] = clock.monotonic() - call.context.startedMonotonic;
    try {
      const result = await next(call);
      announce(call, clock, call.record.settled);
      return result;
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      announce(call, clock, call.record.settled ?? { outcome: 'refused', error, use: undefined, usage: undefined, costNanoUsd: 0 });
      throw error;
    }
  };
}

function announce(call: ModelCall, clock: Clock, settled: SettledCall | undefined): void {
  if (!callFinished.hasSubscribers || !settled) return;
  const { context, record } = call;
  const latencyMs = clock.monotonic() - context.startedMonotonic;
  callFinished.publish({
    callId: call.id,
    requestId: context.requestId,
    organizationId: context.principal.organizationId,
    keyId: context.principal.keyId,
    userId: context.principal.userId,
    operation: call.operation,
    dialect: call.dialect,
    streamed: call.stream,
    modelAsked: call.model,
    modelServed: settled.use?.servedModel ?? record.targetModel,
    provider: record.provider,
    outcome: settled.outcome,
    errorCode: settled.error?.code,
    errorCategory: settled.error?.category,
    status: settled.error?.status ?? 200,
    usage: settled.usage,
    costNanoUsd: settled.costNanoUsd,
    latencyMs,
    firstTokenMs: record.firstTokenMs,
    overheadMs: latencyMs - record.providerMs - record.pausedMs,
    attempts: record.attemptsMade,
  });
}

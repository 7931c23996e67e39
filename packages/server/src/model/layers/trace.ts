import { toHoldfastError } from '@holdfast/kit/errors';
import { callFinished, callTraced } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { noteLayer } from '../call-tracing.ts';
import type { CallLayer, ModelCall, SettledCall } from '../model-call.ts';

/** Announces every call once it has ended, refused ones too. Outermost, so that it sees what all others did. */
export function traceLayer(clock: Clock): CallLayer {
  return (next) => async (call) => {
    const now = clock.monotonic();
    call.record.layers['door'] = now - call.context.startedMonotonic;
    noteLayer(call.record.tracing, 'door', call.context.startedMonotonic, now);
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
  const { context, record } = call;
  const { tracing } = record;
  if (!settled || (tracing === undefined && !callFinished.hasSubscribers)) return;
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
    traceId: tracing?.trace.traceId,
    trace: tracing?.trace,
  });
  if (tracing === undefined) return;
  callTraced.publish({
    trace: tracing.trace,
    callId: call.id,
    operation: call.operation,
    dialect: call.dialect,
    streamed: call.stream,
    organizationId: context.principal.organizationId,
    errorCode: settled.error?.code,
    overheadMs: latencyMs - record.providerMs - record.pausedMs,
    costNanoUsd: settled.costNanoUsd,
    body: call.body.value,
    layers: tracing.layers,
    attempts: tracing.attempts,
  });
}

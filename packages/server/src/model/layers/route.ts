import { isHoldfastError, toHoldfastError, type ErrorCode, type HoldfastError } from '@holdfast/kit/errors';
import { attemptFailed, type AttemptHead, type AttemptResult, type AttemptSink } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import type { CallNext, ModelCall } from '../model-call.ts';
import type { Target } from '../model-route.ts';

/**
 * Sends the call to the targets of its route in their order. The next one is tried when the one before failed in a way
 * that another may not, and only while the client has no byte.
 */
export function routeCall(clock: Clock): CallNext {
  return async (call) => {
    const { targets, totalMs } = call.record.route!;
    const deadlineAt = clock.monotonic() + totalMs;
    let failure: HoldfastError | undefined;
    for (const target of targets) {
      if (!target.provider.supports(call.operation)) continue;
      if (call.context.cancellation.cancelled) throw call.context.cancellation.reason;
      const sink = new RouteSink(call, clock);
      try {
        return await attemptTarget(call, target, sink, deadlineAt, clock);
      } catch (thrown) {
        const error = toHoldfastError(thrown);
        call.sink.abandon();
        if (call.sink.begun || call.context.cancellation.cancelled || !worthAnother(error) || clock.monotonic() >= deadlineAt) throw error;
        attemptFailed.publish({ callId: call.id, requestId: call.context.requestId, target: target.name, error });
        failure = error;
      }
    }
    throw failure!;
  };
}

/** Firm refusals that lie with the target and not with the request. */
const faultsOfTarget: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['provider_auth_failed', 'dialect_unsupported', 'operation_unsupported']);

/** Another target may do better. */
function worthAnother(error: HoldfastError): boolean {
  return error.retryable || faultsOfTarget.has(error.code);
}

async function attemptTarget(call: ModelCall, target: Target, sink: RouteSink, deadlineAt: number, clock: Clock): Promise<AttemptResult> {
  const { record } = call;
  record.provider = target.provider.name;
  record.providerKind = target.provider.kind;
  record.targetModel = target.model;
  record.sent = false;
  const began = clock.monotonic();
  try {
    const result = await target.attempt(
      {
        operation: call.operation,
        dialect: call.dialect,
        model: target.model,
        stream: call.stream,
        body: call.body,
        headers: call.headers,
        cancellation: call.context.cancellation,
        deadlineAt,
      },
      sink,
    );
    finish(call, target, began, clock, undefined);
    return result;
  } catch (error) {
    finish(call, target, began, clock, error);
    throw error;
  }
}

function finish(call: ModelCall, target: Target, began: number, clock: Clock, error: unknown): void {
  const latencyMs = clock.monotonic() - began;
  const code = error === undefined ? undefined : isHoldfastError(error) ? error.code : 'internal_error';
  call.record.providerMs += latencyMs;
  call.record.attempts.push({
    provider: target.provider.name,
    model: target.model,
    outcome: code === undefined ? 'completed' : code === 'client_closed' ? 'aborted' : 'failed',
    error_code: code ?? null,
    latency_ms: Math.round(latencyMs * 1000) / 1000,
  });
}

class RouteSink implements AttemptSink {
  readonly #call: ModelCall;
  readonly #clock: Clock;
  readonly #began: number;

  constructor(call: ModelCall, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  connected(): void {
    this.#call.record.sent = true;
  }
  pulse(): void {}

  head(head: AttemptHead): void {
    const now = this.#clock.monotonic();
    this.#call.record.firstTokenMs = now - this.#call.context.startedMonotonic;
    this.#call.record.providerFirstTokenMs = now - this.#began;
    this.#call.sink.head(head);
  }

  data(bytes: Buffer): boolean {
    return this.#call.sink.data(bytes);
  }

  drained(callback: () => void): void {
    this.#call.sink.drained(callback);
  }
}

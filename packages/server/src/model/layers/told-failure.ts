import { HoldfastError } from '@holdfast/kit/errors';
import { classifyFailure, type FailureCause } from '@holdfast/kit/resilience';
import type { ModelCall } from '../model-call.ts';
import type { Target } from '../model-route.ts';
import { announceFailure } from './announce-failure.ts';
import { copyError } from './copy-error.ts';

/** How a target failed, with what the record said of the call at that moment. */
export interface TargetFailure {
  readonly error: HoldfastError;
  readonly cause: FailureCause;
  readonly sent: boolean;
  readonly provider: string;
  readonly providerKind: string;
  readonly targetModel: string;
}

export function targetFailure(error: HoldfastError, target: Target, { record }: ModelCall): TargetFailure {
  const { provider, model } = target;
  return {
    error,
    cause: classifyFailure(error),
    sent: record.sent,
    provider: provider.name,
    providerKind: provider.kind,
    targetModel: model,
  };
}

/**
 * What says most to the client, of several failures: a fallback that cannot do what is asked hides that the first
 * choice failed, and a breaker of ours hides why.
 */
const worth: Readonly<Record<FailureCause, number>> = {
  cancelled: 4,
  permanent: 4,
  unknown: 4,
  transient: 3,
  throttled: 3,
  slow: 3,
  refused: 2,
  credentials: 1,
  unsuited: 0,
};

/** The one to tell; of equals the latest. */
export function moreTelling(told: TargetFailure | undefined, next: TargetFailure): TargetFailure {
  return told && worth[told.cause] > worth[next.cause] ? told : next;
}

/**
 * The error of a call that no target served. What Holdfast has tried again itself is told as final: clients would multiply
 * it, three attempts by three.
 */
export function finalError(failures: readonly TargetFailure[], told: TargetFailure, call: ModelCall): HoldfastError {
  const { error } = told;
  const { record } = call;
  if (record.failure && record.failure.error !== error)
    announceFailure({ callId: call.id, requestId: call.context.requestId, principal: call.context.principal, journal: record });
  if (told.cause === 'refused') {
    const full = failures.find((failure) => failure.error.code === 'concurrency_limited');
    return full ? full.error : modelUnavailable(failures, call);
  }
  record.provider = told.provider;
  record.providerKind = told.providerKind;
  record.targetModel = told.targetModel;
  record.sent = told.sent;
  const firm = record.route!.triesAgain && error.retryable && told.cause !== 'cancelled';
  return firm ? copyError(error, { retryable: false }) : error;
}

/** Every target that could serve the call is kept away from by its breaker. */
function modelUnavailable(failures: readonly TargetFailure[], { record }: ModelCall): HoldfastError {
  let retryAfterSeconds = Number.POSITIVE_INFINITY;
  for (const { error } of failures) {
    if (error.code === 'circuit_open') retryAfterSeconds = Math.min(retryAfterSeconds, error.retryAfterSeconds ?? retryAfterSeconds);
  }
  return new HoldfastError('model_unavailable', {
    detail: `the circuit breakers of all targets of ${record.route!.name} are open`,
    cause: failures.at(-1)!.error,
    // Opened by hand for good: nobody knows.
    ...(Number.isFinite(retryAfterSeconds) && { retryAfterSeconds }),
  });
}

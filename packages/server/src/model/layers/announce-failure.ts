import { toHoldfastError } from '@holdfast/kit/errors';
import { attemptFailed } from '@holdfast/kit/llm';
import type { TargetRequest } from '../target-request.ts';

/** Announces the latest failure of the call, once, when nobody will hear of it as the error of the call. */
export function announceFailure({
  callId,
  requestId,
  principal,
  journal,
}: Pick<TargetRequest, 'callId' | 'requestId' | 'principal' | 'journal'>): void {
  const { failure } = journal;
  if (!failure) return;
  journal.failure = undefined;
  if (!attemptFailed.hasSubscribers) return;
  attemptFailed.publish({
    callId,
    requestId,
    target: failure.target,
    error: toHoldfastError(failure.error),
    organizationId: principal?.organizationId,
    keyId: principal?.keyId,
    userId: principal?.userId,
    traceId: journal.tracing?.trace.traceId,
  });
}

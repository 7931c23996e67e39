import type { HoldfastError } from '@holdfast/kit/errors';
import { AttemptError, type AttemptErrorOptions } from '@holdfast/kit/llm';

/** The same error with other advice; what is known of the attempt stays, and the error itself is the cause. */
export function copyError(error: HoldfastError, advice: Pick<AttemptErrorOptions, 'retryable' | 'retryAfterSeconds'>): AttemptError {
  const { partial, upstreamStatus, otherCredential, blameless } = error as Partial<AttemptError>;
  return new AttemptError(error.code, {
    detail: error.message,
    cause: error,
    ...(error.details !== undefined && { details: error.details }),
    ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
    ...(partial && { partial }),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    ...(otherCredential !== undefined && { otherCredential }),
    ...(blameless !== undefined && { blameless }),
    ...advice,
  });
}

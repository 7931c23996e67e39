import type { HoldfastError } from '@holdfast/kit/errors';
import { retryAfterSeconds, retryHeaders, type ErrorContext, type ErrorResponse } from './respond.ts';
import type { ErrorEnvelope } from './schemas.ts';

export interface EnvelopeContext extends ErrorContext {
  /** Milliseconds since the Unix epoch, for `timestamp`. */
  readonly nowMs: number;
}

/** The error as every route outside `/v1` answers it. */
export function toEnvelope(error: HoldfastError, context: EnvelopeContext): ErrorResponse<ErrorEnvelope> {
  const retryAfter = retryAfterSeconds(error);
  return {
    status: error.status,
    headers: retryHeaders(error),
    body: {
      error: {
        code: error.status,
        reason: error.code,
        category: error.category,
        message: error.publicMessage,
        ...(error.details === undefined ? {} : { details: error.details }),
        ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
        timestamp: new Date(context.nowMs).toISOString(),
        request_id: context.requestId,
      },
    },
  };
}

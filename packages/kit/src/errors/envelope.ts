import type { ErrorCategory } from './categories.ts';
import type { HoldfastError } from './holdfast-error.ts';
import type { ErrorCode } from './table.ts';

/** An error as our own routes answer it. */
export interface EnvelopeBody {
  readonly error: {
    /** The HTTP status. */
    readonly code: number;
    readonly reason: ErrorCode;
    readonly category: ErrorCategory;
    readonly message: string;
    readonly details?: unknown;
    /** Seconds; also in `Retry-After`. */
    readonly retry_after?: number;
    /** RFC 3339, UTC. */
    readonly timestamp: string;
    readonly request_id: string;
    /** Where the request was traced. */
    readonly trace_id?: string;
  };
}

export interface EnvelopeBodyContext {
  readonly requestId: string;
  readonly traceId?: string | undefined;
  /** Milliseconds since the Unix epoch, for `timestamp`. */
  readonly nowMs: number;
}

export function toEnvelopeBody(error: HoldfastError, context: EnvelopeBodyContext): EnvelopeBody {
  const retryAfter = wholeRetryAfterSeconds(error);
  return {
    error: {
      code: error.status,
      reason: error.code,
      category: error.category,
      message: error.publicMessage,
      ...(error.details === undefined ? {} : { details: error.details }),
      ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
      timestamp: new Date(context.nowMs).toISOString(),
      request_id: context.requestId,
      ...(context.traceId === undefined ? {} : { trace_id: context.traceId }),
    },
  };
}

/** Whole seconds, rounded up: a client that comes back early is refused again. Undefined when no wait is known. */
export function wholeRetryAfterSeconds(error: HoldfastError): number | undefined {
  const seconds = error.retryAfterSeconds;
  return seconds === undefined || !Number.isFinite(seconds) ? undefined : Math.max(1, Math.ceil(seconds));
}

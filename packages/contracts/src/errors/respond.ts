import { wholeRetryAfterSeconds, type HoldfastError } from '@holdfast/kit/errors';

/** An error ready to be sent. Header names are lower case. */
export interface ErrorResponse<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

export interface ErrorContext {
  readonly requestId: string;
  /** While tracing is on. */
  readonly traceId?: string | undefined;
}

/**
 * `Retry-After` where a wait is known. `x-should-retry: false` stops both official SDKs, which would otherwise repeat
 * every 408, 409, 429 and 5xx, from repeating what cannot succeed.
 */
export function retryHeaders(error: HoldfastError): Record<string, string> {
  const headers: Record<string, string> = {};
  const seconds = wholeRetryAfterSeconds(error);
  if (seconds !== undefined) headers['retry-after'] = String(seconds);
  if (!error.retryable) headers['x-should-retry'] = 'false';
  return headers;
}

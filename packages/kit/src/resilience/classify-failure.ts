import { isHoldfastError, type ErrorCategory, type ErrorCode, type HoldfastError } from '../errors/index.ts';
import type { FailureCause } from './failure-cause.ts';

/** Codes whose category does not say it all. */
const causesOfCodes: Partial<Record<ErrorCode, FailureCause>> = {
  provider_auth_failed: 'credentials',
  context_length_exceeded: 'unsuited',
  model_unsuited: 'unsuited',
  dialect_unsupported: 'unsuited',
  operation_unsupported: 'unsuited',
  // It took the request and was silent: asked again, it would most likely be so again, and the client has waited long enough.
  first_token_timeout: 'slow',
  call_timeout: 'slow',
  deadline_exceeded: 'slow',
  client_closed: 'cancelled',
  hedge_lost: 'cancelled',
  circuit_open: 'refused',
  concurrency_limited: 'refused',
};

const causesOfCategories: Record<ErrorCategory, FailureCause> = {
  validation: 'permanent',
  authentication: 'permanent',
  authorization: 'permanent',
  not_found: 'permanent',
  conflict: 'permanent',
  file_processing: 'permanent',
  budget: 'permanent',
  payload_too_large: 'permanent',
  unsupported_media: 'permanent',
  rate_limit: 'throttled',
  database: 'transient',
  external_service: 'transient',
  timeout: 'transient',
  ai_service: 'transient',
  unavailable: 'transient',
  internal: 'unknown',
};

/** Codes of Node's network calls and of undici: the connection failed, or the time for a part of it ran out. */
const transientCodes: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** 529 is what Anthropic answers when it is overloaded. */
const transientStatuses: ReadonlySet<number> = new Set([408, 500, 502, 503, 504, 529]);

/** 402: the account behind the key is out of credit. */
const credentialStatuses: ReadonlySet<number> = new Set([401, 402, 403]);

/** How many `cause`s are looked through: `fetch` says only "fetch failed" and keeps the reason below. */
const maxDepth = 4;

/**
 * The default: a HoldfastError by its code, another error by its `status` (or `statusCode`), then its `code`, then those
 * of its `cause`. What has none of them is `unknown`, which is not retried: nobody can say whether it did its work.
 */
export function classifyFailure(error: unknown): FailureCause {
  let current = error;
  for (let depth = 0; depth < maxDepth && typeof current === 'object' && current !== null; depth++) {
    const cause = isHoldfastError(current) ? causeOfHoldfastError(current) : causeOfPlainError(current);
    if (cause !== undefined) return cause;
    current = (current as { cause?: unknown }).cause;
  }
  return 'unknown';
}

function causeOfHoldfastError(error: HoldfastError): FailureCause {
  const cause = causesOfCodes[error.code] ?? causesOfCategories[error.category];
  return !error.retryable && cause === 'transient' ? 'permanent' : cause;
}

function causeOfPlainError(error: object): FailureCause | undefined {
  const { name, code, status, statusCode } = error as Record<string, unknown>;
  if (name === 'AbortError') return 'cancelled';
  if (name === 'TimeoutError') return 'transient';
  const answered = typeof status === 'number' ? status : statusCode;
  if (typeof answered === 'number' && answered >= 400) return causeOfStatus(answered);
  return transientCodes.has(code) ? 'transient' : undefined;
}

function causeOfStatus(status: number): FailureCause {
  if (status === 429) return 'throttled';
  if (transientStatuses.has(status)) return 'transient';
  return credentialStatuses.has(status) ? 'credentials' : 'permanent';
}

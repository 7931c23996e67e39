import type { ErrorCategory, ErrorCode, HoldfastError } from '@holdfast/kit/errors';
import { dialectMessage } from './dialect-message.ts';
import { retryHeaders, type ErrorContext, type ErrorResponse } from './respond.ts';
import type { AnthropicError, AnthropicErrorType } from './schemas.ts';

const types: Readonly<Record<ErrorCategory, AnthropicErrorType>> = {
  validation: 'invalid_request_error',
  authentication: 'authentication_error',
  authorization: 'permission_error',
  not_found: 'not_found_error',
  conflict: 'conflict_error',
  database: 'overloaded_error',
  external_service: 'api_error',
  file_processing: 'invalid_request_error',
  rate_limit: 'rate_limit_error',
  budget: 'billing_error',
  payload_too_large: 'request_too_large',
  unsupported_media: 'invalid_request_error',
  timeout: 'timeout_error',
  ai_service: 'api_error',
  unavailable: 'overloaded_error',
  internal: 'api_error',
};

const typesOfCodes: Partial<Record<ErrorCode, AnthropicErrorType>> = { provider_overloaded: 'overloaded_error' };

/** The error in Anthropic's shape. Its SDKs read the request's id from the header `request-id`. */
export function toAnthropicError(error: HoldfastError, context: ErrorContext): ErrorResponse<AnthropicError> {
  const headers = retryHeaders(error);
  headers['request-id'] = context.requestId;
  return {
    status: error.status,
    headers,
    body: {
      type: 'error',
      error: {
        type: typesOfCodes[error.code] ?? types[error.category],
        message: dialectMessage(error),
        code: error.code,
        ...(error.details === undefined ? {} : { details: error.details }),
      },
      request_id: context.requestId,
      ...(context.traceId === undefined ? {} : { trace_id: context.traceId }),
    },
  };
}

/** The event that ends a stream which broke after its first byte; MUST be the last thing sent, without `message_stop`. */
export function toAnthropicStreamError(error: HoldfastError, context: ErrorContext): string {
  return `event: error\ndata: ${JSON.stringify(toAnthropicError(error, context).body)}\n\n`;
}

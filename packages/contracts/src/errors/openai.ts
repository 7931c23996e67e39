import type { ErrorCategory, HoldfastError } from '@holdfast/kit/errors';
import { dialectMessage, faultyField } from './dialect-message.ts';
import { retryHeaders, type ErrorContext, type ErrorResponse } from './respond.ts';
import type { OpenaiError, OpenaiErrorType } from './schemas.ts';

const types: Readonly<Record<ErrorCategory, OpenaiErrorType>> = {
  validation: 'invalid_request_error',
  authentication: 'authentication_error',
  authorization: 'permission_error',
  not_found: 'invalid_request_error',
  conflict: 'invalid_request_error',
  database: 'server_error',
  external_service: 'server_error',
  file_processing: 'invalid_request_error',
  rate_limit: 'rate_limit_error',
  budget: 'insufficient_quota',
  payload_too_large: 'invalid_request_error',
  unsupported_media: 'invalid_request_error',
  timeout: 'server_error',
  ai_service: 'server_error',
  unavailable: 'server_error',
  internal: 'server_error',
};

/** The error in OpenAI's shape. Its SDKs choose the class that they raise by the status, and show `code` and `type`. */
export function toOpenaiError(error: HoldfastError, context: ErrorContext): ErrorResponse<OpenaiError> {
  return {
    status: error.status,
    headers: retryHeaders(error),
    body: {
      error: {
        message: dialectMessage(error),
        type: types[error.category],
        param: faultyField(error),
        code: error.code,
        ...(error.details === undefined ? {} : { details: error.details }),
        request_id: context.requestId,
        ...(context.traceId === undefined ? {} : { trace_id: context.traceId }),
      },
    },
  };
}

/**
 * The event that ends a stream which broke after its first byte. MUST be the last thing sent, without `[DONE]`: the SDK
 * raises `APIError` on it, whereas a stream that just ends would look finished.
 */
export function toOpenaiStreamError(error: HoldfastError, context: ErrorContext): string {
  return `data: ${JSON.stringify(toOpenaiError(error, context).body)}\n\n`;
}

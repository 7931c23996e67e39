/** What went wrong, in the sixteen words that status, log level, metric label and retry advice hang on. */
export type ErrorCategory =
  | 'validation'
  | 'authentication'
  | 'authorization'
  | 'not_found'
  | 'conflict'
  | 'database'
  | 'external_service'
  | 'file_processing'
  | 'rate_limit'
  | 'budget'
  | 'payload_too_large'
  | 'unsupported_media'
  | 'timeout'
  | 'ai_service'
  | 'unavailable'
  | 'internal';

export interface CategoryTraits {
  /** HTTP status of an error of this category, unless its row of the error table names another. */
  readonly status: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** Level at which the server logs it. Client mistakes are `info`: they must not page anybody. */
  readonly logLevel: 'info' | 'warn' | 'error';
}

export const errorCategories: Readonly<Record<ErrorCategory, CategoryTraits>> = Object.freeze({
  validation: { status: 400, retryable: false, logLevel: 'info' },
  authentication: { status: 401, retryable: false, logLevel: 'info' },
  authorization: { status: 403, retryable: false, logLevel: 'info' },
  not_found: { status: 404, retryable: false, logLevel: 'info' },
  conflict: { status: 409, retryable: false, logLevel: 'info' },
  database: { status: 503, retryable: true, logLevel: 'error' },
  external_service: { status: 502, retryable: true, logLevel: 'error' },
  file_processing: { status: 422, retryable: false, logLevel: 'warn' },
  rate_limit: { status: 429, retryable: true, logLevel: 'info' },
  budget: { status: 402, retryable: false, logLevel: 'info' },
  payload_too_large: { status: 413, retryable: false, logLevel: 'info' },
  unsupported_media: { status: 415, retryable: false, logLevel: 'info' },
  timeout: { status: 504, retryable: true, logLevel: 'warn' },
  ai_service: { status: 502, retryable: true, logLevel: 'warn' },
  unavailable: { status: 503, retryable: true, logLevel: 'warn' },
  internal: { status: 500, retryable: false, logLevel: 'error' },
});

import { toEnvelopeBody, type HoldfastError } from '@holdfast/kit/errors';
import { retryHeaders, type ErrorContext, type ErrorResponse } from './respond.ts';
import type { ErrorEnvelope } from './schemas.ts';

export interface EnvelopeContext extends ErrorContext {
  /** Milliseconds since the Unix epoch, for `timestamp`. */
  readonly nowMs: number;
}

/** The error as every route outside `/v1` answers it. */
export function toEnvelope(error: HoldfastError, context: EnvelopeContext): ErrorResponse<ErrorEnvelope> {
  return { status: error.status, headers: retryHeaders(error), body: toEnvelopeBody(error, context) };
}

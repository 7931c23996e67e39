import type { ErrorCode, HoldfastError } from '@holdfast/kit/errors';

/** Codes by which a provider speaks about the client's own request, in words that the client needs to read. */
const spokenByProvider: ReadonlySet<ErrorCode> = new Set(['provider_rejected_request', 'context_length_exceeded', 'content_filtered']);

/**
 * What goes into `message` of the dialects' shapes. Their users look nowhere else, so a provider's own reason
 * (`details.provider_message`) stands there in place of "see `details`".
 */
export function dialectMessage(error: HoldfastError): string {
  if (spokenByProvider.has(error.code)) {
    const reason = (error.details as { provider_message?: unknown } | undefined)?.provider_message;
    if (typeof reason === 'string' && reason !== '') return reason;
  }
  return error.publicMessage;
}

/** The first field at fault of `details`, where there is one. */
export function faultyField(error: HoldfastError): string | null {
  const details = error.details;
  const first: unknown = Array.isArray(details) ? details[0] : details;
  const field = (first as { field?: unknown } | undefined | null)?.field;
  return typeof field === 'string' && field !== '' ? field : null;
}

import type { ErrorCode } from '../../../errors/index.ts';

/** The code of an upstream's status, where the provider said nothing more telling. 0 is an error inside a success. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 400 || status === 404 || status === 409 || status === 413 || status === 422) return 'provider_rejected_request';
  if (status === 401 || status === 402 || status === 403) return 'provider_auth_failed';
  if (status === 429) return 'provider_rate_limited';
  if (status === 503 || status === 529) return 'provider_overloaded';
  if (status >= 300 && status < 500 && status !== 408) return 'provider_malformed';
  return 'provider_failed';
}

import type { ErrorCode } from '../../../errors/index.ts';
import { AttemptError } from '../../spec/index.ts';
import type { SandboxSettings } from './settings.ts';

type FailureStatus = Exclude<SandboxSettings['status'], 200>;

/** What a status of a real provider means, as the providers over HTTP read it. */
const codes: Readonly<Record<FailureStatus, ErrorCode>> = {
  400: 'provider_rejected_request',
  401: 'provider_auth_failed',
  403: 'provider_auth_failed',
  404: 'model_unsuited',
  429: 'provider_rate_limited',
  500: 'provider_failed',
  502: 'provider_failed',
  503: 'provider_overloaded',
  529: 'provider_overloaded',
};

const reasonCodes = { context_length: 'context_length_exceeded', content_filter: 'content_filtered' } as const satisfies Record<
  string,
  ErrorCode
>;

export function failureOf(status: FailureStatus, { reason, retryAfterS }: SandboxSettings): AttemptError {
  const code = reason ? reasonCodes[reason] : codes[status];
  const message = `This is the error ${status} that was asked of the sandbox.`;
  return new AttemptError(code, {
    detail: `the sandbox was set to answer ${status}`,
    // Only reasons that speak about the client's own request are shown, as with the providers over HTTP.
    ...((status === 400 || status === 404) && { details: { provider_message: message } }),
    ...(retryAfterS !== undefined && { retryAfterSeconds: retryAfterS }),
    upstreamStatus: status,
    partial: { usage: undefined, outputBytes: 0, servedModel: undefined },
  });
}

import { AttemptError } from '../../spec/index.ts';

/** A request that no real provider would take either. `message` is the provider's own reason, which the client sees. */
export function rejected(message: string): AttemptError {
  return new AttemptError('provider_rejected_request', {
    detail: `the sandbox refused: ${message}`,
    details: { provider_message: message },
    upstreamStatus: 400,
  });
}

import { AttemptError } from '../../spec/index.ts';

/** The provider's answer cannot be understood. `detail` names the place, never the content. */
export function malformed(detail: string, cause?: unknown): AttemptError {
  return new AttemptError('provider_malformed', { detail: `cannot be translated: ${detail}`, cause });
}

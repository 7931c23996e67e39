import { HoldfastError } from '../errors/index.ts';
import type { Decision } from './decision.ts';

/** A refusal as the error that the client gets: 429 `rate_limited`, with the name of the limit and the wait; one that no wait helps is
 * not retryable. For a decision that was refused. */
export function refusalError({ binding, retryAfterMs }: Decision): HoldfastError {
  const possible = Number.isFinite(retryAfterMs);
  return new HoldfastError('rate_limited', {
    detail: `refused by ${binding?.policy.id ?? 'no bucket'}`,
    ...(binding
      ? { details: { limit: binding.policy.name, unit: binding.policy.unit, ...(possible ? {} : { too_large_for_any_wait: true }) } }
      : {}),
    ...(possible ? { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) } : { retryable: false }),
  });
}

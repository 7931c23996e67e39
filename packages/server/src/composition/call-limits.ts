import type { RateLimiter } from '@holdfast/kit/ratelimit';
import type { Configuration } from '../config/index.ts';
import type { CallLimits, CallRateLimits } from '../model/index.ts';

/** The limits of calls of models; undefined when limits are switched off. */
export function callLimits({ rateLimits }: Configuration, limiter: RateLimiter): CallLimits | undefined {
  const { enabled, shadow, assumedCompletionTokens, tiers } = rateLimits;
  if (!enabled) return undefined;
  const byTier = new Map(Object.entries(tiers).map(([name, tier]) => [name, ofTier(tier)]));
  return {
    limiter,
    // A tier that was taken out of the configuration counts as the least of those that come with the package, as at the door.
    organizationLimits: ({ organizationTier }) => byTier.get(byTier.has(organizationTier) ? organizationTier : 'basic'),
    assumedCompletionTokens,
    shadow,
  };
}

/** Requests of an organization are counted at the door, whatever they are for. */
function ofTier({ tokensPerMinute, concurrent, shadow }: Configuration['rateLimits']['tiers'][string]): CallRateLimits | undefined {
  return tokensPerMinute === undefined && concurrent === undefined ? undefined : { tokensPerMinute, concurrent, shadow };
}

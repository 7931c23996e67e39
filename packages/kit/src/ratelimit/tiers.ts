import { concurrency, gcra, slidingWindow, type LimitPolicy } from './policies/index.ts';

/** What an organization, a key or an endpoint may do. What is left out is not limited. */
export interface LimitTier {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  /** Requests that may come at once; what is beyond the minute's even flow. Left out, the minute's whole number may. */
  readonly burst?: number;
  /** Tokens of models, reserved and settled. */
  readonly tokensPerMinute?: number;
  readonly concurrent?: number;
}

export type LimitTierName = 'basic' | 'pro' | 'enterprise' | 'unlimited';

/** The tiers of an organization. `unlimited` is counted and refuses nothing. */
export const limitTiers: Readonly<Record<LimitTierName, LimitTier>> = Object.freeze({
  basic: Object.freeze({ requestsPerMinute: 30, requestsPerHour: 900 }),
  pro: Object.freeze({ requestsPerMinute: 100, requestsPerHour: 3_000 }),
  enterprise: Object.freeze({ requestsPerMinute: 500, requestsPerHour: 15_000 }),
  unlimited: Object.freeze({}),
});

/** The levels that have a default of their own: over everything, and for each address. */
export const limitLevels: Readonly<Record<'global' | 'ip', LimitTier>> = Object.freeze({
  global: Object.freeze({ requestsPerMinute: 1_000, burst: 10 }),
  ip: Object.freeze({ requestsPerMinute: 100, burst: 10 }),
});

export interface TierPoliciesOptions {
  /** Default false. */
  readonly shadow?: boolean;
}

/** The policies of requests and of concurrency, to be taken together with cost 1, and that of tokens, whose cost is the caller's to estimate. */
export interface TierPolicies {
  readonly requests: readonly LimitPolicy[];
  readonly tokens: LimitPolicy | undefined;
}

/**
 * A tier as policies, named after the level: `<level>-minute`, `<level>-hour`, `<level>-tokens`, `<level>-concurrent`. With a burst the
 * minute is an even flow (GCRA); without, a window. A tier that limits no requests counts those of a minute. Throws `configuration_invalid`.
 */
export function tierPolicies(level: string, tier: LimitTier, { shadow = false }: TierPoliciesOptions = {}): TierPolicies {
  const requests: LimitPolicy[] = [];
  const { requestsPerMinute, requestsPerHour, burst, tokensPerMinute, concurrent } = tier;
  const minute = `${level}-minute`;
  if (requestsPerMinute !== undefined && burst !== undefined) {
    requests.push(gcra({ name: minute, limit: requestsPerMinute, periodMs: 60_000, burst, shadow }));
  } else if (requestsPerMinute !== undefined || requestsPerHour === undefined) {
    requests.push(slidingWindow({ name: minute, limit: requestsPerMinute ?? Number.POSITIVE_INFINITY, windowMs: 60_000, shadow }));
  }
  if (requestsPerHour !== undefined)
    requests.push(slidingWindow({ name: `${level}-hour`, limit: requestsPerHour, windowMs: 3_600_000, shadow }));
  if (concurrent !== undefined) requests.push(concurrency({ name: `${level}-concurrent`, limit: concurrent, shadow }));
  const tokens =
    tokensPerMinute === undefined
      ? undefined
      : gcra({ name: `${level}-tokens`, limit: tokensPerMinute, periodMs: 60_000, unit: 'tokens', shadow });
  return { requests, tokens };
}

import { concurrency, gcra, slidingWindow, type BucketTake, type GcraPolicy, type LimitPolicy } from '@holdfast/kit/ratelimit';
import { costIn, type ExpectedTokens } from './expected-tokens.ts';

/** What may be used of models by one key, on one model, or by one organization. What is left out is not limited. */
export interface CallRateLimits {
  /** Calls in any minute. */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens, prompts and answers together. */
  readonly tokensPerMinute?: number | undefined;
  /** Calls under way at once. */
  readonly concurrent?: number | undefined;
  /** Counted and told as if they were enforced, and refuse nothing. */
  readonly shadow?: boolean | undefined;
}

/** Whose limits they are; policies and so header fields are named after it. */
export type CallLevel = 'model' | 'key' | 'organization';

/**
 * How long a place stays taken when the instance that holds it dies. Calls under way renew theirs in time, so it need not be as long as the longest of
 * them: a key with one place would else be locked out for that long by a crash.
 */
export const leaseMs = 60_000;

interface Policies {
  readonly requests: LimitPolicy | undefined;
  readonly tokens: GcraPolicy | undefined;
  readonly concurrent: LimitPolicy | undefined;
}

/** Adds the buckets of one level to what a call takes. `expected` is undefined for a call that uses no tokens. */
export type AddTakes = (
  to: BucketTake[],
  level: CallLevel,
  limits: CallRateLimits,
  key: string,
  expected: ExpectedTokens | undefined,
) => void;

/** `shadow` puts all of them into shadow. */
export function createAddTakes(shadow: boolean): AddTakes {
  const Known = WeakMap<CallRateLimits, Policies>;
  // By the object, which lives as long as its key in memory or its generation of models: policies are made once and not for each call.
  const known = { model: new Known(), key: new Known(), organization: new Known() };
  return (to, level, limits, key, expected) => {
    let policies = known[level].get(limits);
    if (policies === undefined) known[level].set(limits, (policies = policiesOf(level, limits, shadow)));
    if (policies.requests) to.push({ policy: policies.requests, key });
    if (policies.concurrent) to.push({ policy: policies.concurrent, key });
    const { tokens } = policies;
    if (tokens && expected) to.push({ policy: tokens, key, cost: costIn(tokens.burst, expected) });
  };
}

function policiesOf(level: CallLevel, limits: CallRateLimits, allInShadow: boolean): Policies {
  const { requestsPerMinute, tokensPerMinute, concurrent } = limits;
  const shadow = allInShadow || limits.shadow === true;
  // Other names than those of the levels at the door, which count every request and not calls of models.
  return {
    requests:
      requestsPerMinute === undefined
        ? undefined
        : slidingWindow({ name: `${level}-calls`, limit: requestsPerMinute, windowMs: 60_000, shadow }),
    tokens:
      tokensPerMinute === undefined
        ? undefined
        : gcra({ name: `${level}-tokens`, limit: tokensPerMinute, periodMs: 60_000, unit: 'tokens', shadow }),
    concurrent: concurrent === undefined ? undefined : concurrency({ name: `${level}-concurrent`, limit: concurrent, leaseMs, shadow }),
  };
}

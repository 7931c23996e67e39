import type { RateLimitBucketBody } from '@holdfast/contracts';
import type { BucketTake, ListOptions, RateLimiter } from '@holdfast/kit/ratelimit';
import type { Clock } from '@holdfast/kit/time';

/** How full buckets are, for people who look. Takes nothing. */
export interface Standing {
  /** The fullest first; those less than half full may be missing. */
  fullest(options: ListOptions): Promise<RateLimitBucketBody[]>;
  /** These, full or not. */
  of(takes: readonly BucketTake[]): Promise<RateLimitBucketBody[]>;
}

export interface StandingOptions {
  readonly limiter: RateLimiter;
  readonly clock: Clock;
}

export function createStanding({ limiter, clock }: StandingOptions): Standing {
  return {
    async fullest(options) {
      const nowMs = clock.now();
      return (await limiter.list(options)).map(({ policy, key, used, capacity, resetAfterMs }) => ({
        level: policy,
        subject: key,
        ...(Number.isFinite(capacity) ? { limit: capacity, remaining: Math.max(0, capacity - used) } : { limit: null, remaining: null }),
        reset_at: timeOf(nowMs + resetAfterMs),
      }));
    },
    async of(takes) {
      const { buckets, nowMs } = await limiter.peek(takes.map(({ policy, key }) => ({ policy, key })));
      return buckets.map(({ policy, key, remaining, resetAfterMs }) => ({
        level: policy.name,
        subject: key,
        limit: Number.isFinite(policy.limit) ? (policy.kind === 'gcra' ? policy.burst : policy.limit) : null,
        remaining: Number.isFinite(remaining) ? remaining : null,
        reset_at: timeOf(nowMs + resetAfterMs),
      }));
    },
  };
}

function timeOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

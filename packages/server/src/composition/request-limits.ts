import type { RateLimiter } from '@holdfast/kit/ratelimit';
import type { Configuration } from '../config/index.ts';
import type { RequestLimits as DoorLimits } from '../entry/http/index.ts';
import { createRequestLimits, type RequestLimits } from '../features/limits/index.ts';

/** The limits on requests, as the door takes them; undefined when limits are switched off. */
export function requestLimits({ rateLimits }: Configuration, limiter: RateLimiter): (RequestLimits & DoorLimits) | undefined {
  return rateLimits.enabled ? { limiter, ...createRequestLimits(rateLimits) } : undefined;
}

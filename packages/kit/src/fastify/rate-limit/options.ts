import type { FastifyRequest } from 'fastify';
import { gcra, type BucketTake, type RateLimiter } from '../../ratelimit/index.ts';
import { clientKey } from '../client-key.ts';
import { systemClock, type Clock } from '../../time/index.ts';

/** From which buckets a request takes, all or none. An empty list is not limited. Runs for each request: no work beyond what it returns. */
export type LevelsOfRequest = (request: FastifyRequest) => readonly BucketTake[];

export interface RateLimitOptions {
  /** Default: one in the memory of this process, made and closed with the app. A limiter that is given is closed by whoever made it. */
  readonly limiter?: RateLimiter;
  /** Default: 100 requests a minute, 10 at once, for each address (`request.ip`, so mind `trustProxy`; IPv6 by its /64). */
  readonly levels?: LevelsOfRequest;
  /**
   * Patterns of routes that are not limited, as the routes were declared; `*` at the end stands for any rest. For one route
   * `config: { rateLimits: false }` says the same. Default: `/health`, `/health/*` and `/metrics`.
   */
  readonly exempt?: readonly string[];
  /** Counts what would be refused, and refuses nothing; nor are headers sent. `takeDecided` of `@holdfast/kit/ratelimit` tells. Default false. */
  readonly shadow?: boolean;
  /** When to limit: after `onRequest` hooks that were added before, such as your check of keys. Default `onRequest`. */
  readonly hook?: 'onRequest' | 'preValidation' | 'preHandler';
  /**
   * `answer` sends 429 with the envelope of `@holdfast/kit/errors` and ends the request. `throw` hands the `HoldfastError` (`rate_limited`)
   * to the error handler of the app. Default `answer`.
   */
  readonly refusals?: 'answer' | 'throw';
  /** What to do when the store of the limiter cannot decide: 503 `limiter_unavailable`, or let the request through. Default `refuse`. */
  readonly whenUnavailable?: 'refuse' | 'let-through';
  /** Of the plugin's own limiter and the times in its answers. Default: the system's. */
  readonly clock?: Clock;
}

const perAddress = gcra({ name: 'ip', limit: 100, periodMs: 60_000, burst: 10 });

export const rateLimitDefaults = Object.freeze({
  levels: ((request) => [{ policy: perAddress, key: clientKey(request) }]) as LevelsOfRequest,
  exempt: Object.freeze(['/health', '/health/*', '/metrics']) as readonly string[],
  shadow: false,
  hook: 'onRequest',
  refusals: 'answer',
  whenUnavailable: 'refuse',
  clock: systemClock,
} as const);

import { createLimitStep, type LimitStep } from '@holdfast/kit/fastify';
import type { BucketTake, RateLimiter } from '@holdfast/kit/ratelimit';
import type { Principal } from '../../model/index.ts';
import type { Access } from './request-context.ts';
import { isForOperators } from './shedding.ts';

/** By which buckets the door counts requests. */
export interface RequestLimits {
  readonly limiter: RateLimiter;
  /** Once a route, when it is added; `path` is undefined for whatever is not found. What it returns runs for each request. */
  forRoute(route: {
    readonly methods: readonly string[];
    readonly path: string | undefined;
    readonly isModelCall: boolean;
  }): (principal: Principal | null, address: string) => readonly BucketTake[];
  /** Throws what keeps the server from listening: limits on endpoints that no route has. Called when all routes are there. */
  refuseUnknownEndpoints(): void;
}

export interface RouteAtTheDoor {
  readonly methods: readonly string[];
  readonly path: string | undefined;
  readonly access: Access;
}

/** The step of what nothing limits. */
export const unlimited: LimitStep = (_request, _reply, done) => done();

/** The step of one route, to be taken once it is known who asks; undefined where nothing is limited. */
export function limitStepOf(limits: RequestLimits | undefined, { methods, path, access }: RouteAtTheDoor): LimitStep | undefined {
  if (limits === undefined || (path !== undefined && access === 'public' && isExempt(path))) return undefined;
  const levels = limits.forRoute({ methods, path, isModelCall: access === 'inference' });
  return createLimitStep({ limiter: limits.limiter, levels: (request) => levels(request.principal, request.client.key.text) });
}

/**
 * Probes and metrics: an orchestrator that is refused restarts the server. What pages load with themselves: one visit is one request. And the
 * catch-all for preflights, which are answered before and never reach it.
 */
function isExempt(path: string): boolean {
  return isForOperators(path) || path.startsWith('/docs/static/') || /^\/redoc\/.+/.test(path) || path === '*';
}

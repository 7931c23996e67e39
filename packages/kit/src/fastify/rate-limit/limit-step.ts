import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusalError, type BucketTake, type Decision, type LimitPolicy, type RateLimiter } from '../../ratelimit/index.ts';
import type { LevelsOfRequest } from './options.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * What the limiter said, for a handler that writes its own head (`headerFields` of `@holdfast/kit/ratelimit`). Null where nothing limits, and
     * while an answer that could refuse nothing has not come yet. Whoever limits further along puts the decision here that binds more.
     */
    rateLimitDecision: Decision | null;
  }
}

export interface LimitStepOptions {
  readonly limiter: RateLimiter;
  readonly levels: LevelsOfRequest;
  /** As of the plugin. Default false. */
  readonly shadow?: boolean;
}

/**
 * Calls `done` with nothing when the request may go on; with `rate_limited` when it was refused; with what the limiter threw when it could
 * not decide. At once when the limiter is in memory.
 */
export type LimitStep = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** The one step of a limiter, for an app that calls it where it wants: in a hook of its own, after its own check of keys. */
export function createLimitStep({ limiter, levels, shadow = false }: LimitStepOptions): LimitStep {
  return (request, reply, done) => {
    let decision: Decision | Promise<Decision>;
    let takes: readonly BucketTake[];
    try {
      takes = levels(request);
      if (takes.length === 0) return done();
      if (shadow) takes = takes.map((take) => ({ ...take, policy: inShadow(take.policy) }));
      decision = limiter.take(takes);
    } catch (thrown) {
      return done(thrown as Error);
    }
    if (!(decision instanceof Promise)) return done(conclude(request, reply, decision));
    if (takes.some(mayRefuse)) {
      decision.then((decided) => done(conclude(request, reply, decided)), done);
      return;
    }
    // Nothing can be refused, so nobody has to wait for a store elsewhere: what is lost with it is a count.
    decision.then(
      (decided) => void conclude(request, reply, decided),
      () => {},
    );
    done();
  };
}

function conclude(request: FastifyRequest, reply: FastifyReply, decision: Decision): Error | undefined {
  request.rateLimitDecision = decision;
  if (!decision.allowed) return refusalError(decision);
  if (decision.buckets.some(isLease)) releaseAtTheEnd(reply, decision);
  return undefined;
}

function mayRefuse({ policy }: BucketTake): boolean {
  return !policy.shadow && policy.limit !== Number.POSITIVE_INFINITY;
}

function isLease({ policy, taken }: Decision['buckets'][number]): boolean {
  return taken && policy.kind === 'concurrency';
}

/** However the answer ends: sent, broken off, or left by its client. */
function releaseAtTheEnd({ raw }: FastifyReply, decision: Decision): void {
  // A lease ends by itself: a store that does not answer the release costs a place for that long, and no request.
  const release = (): void => void Promise.resolve(decision.release()).catch(() => {});
  if (raw.closed) release();
  else raw.once('close', release);
}

const shadows = new WeakMap<LimitPolicy, LimitPolicy>();

function inShadow(policy: LimitPolicy): LimitPolicy {
  if (policy.shadow) return policy;
  let shadow = shadows.get(policy);
  if (!shadow) shadows.set(policy, (shadow = Object.freeze({ ...policy, shadow: true })));
  return shadow;
}

import { attemptLimits, type AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import { attemptBreaker } from '@holdfast/kit/llm/layers/breaker';
import { attemptBulkhead } from '@holdfast/kit/llm/layers/bulkhead';
import type { attemptHedge } from '@holdfast/kit/llm/layers/hedge';
import { attemptRetry } from '@holdfast/kit/llm/layers/retry';
import type { AttemptNext, Provider } from '@holdfast/kit/llm';
import type { RetryNumbers } from '@holdfast/kit/resilience';
import type { Clock, Random } from '@holdfast/kit/time';
import { heedBoth, recordAttempt, type RecordedTarget } from './layers/index.ts';
import type { Target } from './model-route.ts';
import type { TargetGuard } from './target-guard.ts';
import type { TargetRequest } from './target-request.ts';

export interface TargetOptions {
  /** `provider/model` */
  readonly name: string;
  readonly provider: Provider;
  readonly model: string;
  readonly weight: number;
  readonly limits: AttemptLimits;
  readonly retry: Partial<RetryNumbers>;
  /** A target that asks for a longer wait than this is given up at once. Default: the deadline of the call is the limit. */
  readonly maxRetryAfterMs: number | undefined;
  readonly guard: TargetGuard;
  /** Undefined: no second attempts. */
  readonly hedge: ReturnType<typeof attemptHedge> | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

function recordedTarget({ name, provider, model, hedge }: TargetOptions): RecordedTarget {
  const url = provider.baseUrl === undefined ? undefined : new URL(provider.baseUrl);
  return {
    name,
    provider: provider.name,
    kind: provider.kind,
    model,
    mayLose: hedge !== undefined,
    isToldTrace: provider.isToldTrace ?? false,
    address: url?.hostname,
    port: url && Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
  };
}

type TargetLayer = (next: AttemptNext<TargetRequest>) => AttemptNext<TargetRequest>;

/** The one list of layers around the attempts at a target, outermost first; hedge, and then retry, are around all of them. Built once, not per call. */
export function createTarget(options: TargetOptions): Target {
  const { name, provider, model, weight, guard, hedge, clock, random, maxRetryAfterMs } = options;
  const layers: readonly TargetLayer[] = [
    ...(guard.breaker ? [attemptBreaker(guard.breaker)] : []),
    ...(guard.bulkhead ? [attemptBulkhead(guard.bulkhead)] : []),
    recordAttempt(recordedTarget(options), clock),
    attemptLimits(options.limits, clock),
  ];
  const provide: AttemptNext<TargetRequest> = (request, sink) => provider.attempt(request, sink);
  const retry = attemptRetry({
    ...options.retry,
    name,
    budget: guard.budget,
    clock,
    random,
    ...(maxRetryAfterMs !== undefined && { maxRetryAfterMs }),
  });
  const once = layers.reduceRight((next, layer) => layer(next), provide);
  const attempt = retry(
    hedge
      ? heedBoth(
          name,
          clock,
          hedge(once, (request) => request.spare?.(once)),
        )
      : once,
  );
  return { name, provider, model, weight, breaker: guard.breaker, bulkhead: guard.bulkhead, once, attempt };
}

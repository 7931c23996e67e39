import type { AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';

/** One name that clients may ask for. */
export interface ModelConfiguration {
  readonly name: string;
  /** In the order in which they stand in the file. At least one. */
  readonly targets: readonly ModelTarget[];
  /** How one of them is chosen. */
  readonly strategy: StrategyConfiguration;
  readonly limits: AttemptLimits;
  readonly retry: RetryConfiguration;
  readonly breaker: BreakerConfiguration;
  readonly bulkhead: BulkheadConfiguration;
  readonly hedge: HedgeConfiguration;
  /** Milliseconds for which the beginning of a stream is kept back; 0 for not at all. */
  readonly holdBackMs: number;
  /** For all who use the model together; undefined when nothing is written. */
  readonly rateLimits: CallLimitConfiguration | undefined;
}

/** Of one model. */
export interface HedgeConfiguration {
  readonly enabled: boolean;
  readonly afterPercentile: number;
  readonly maxExtraPercent: number;
}

export type StrategyConfiguration = 'fallback' | 'weighted' | 'latency' | 'cost';

/** Of one model, but for `budgetPercent`, which is the target's. */
export interface RetryConfiguration {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: 'full' | 'none';
  readonly budgetPercent: number;
}

/** Of the target: the same in all models that name it. */
export interface BreakerConfiguration {
  readonly enabled: boolean;
  readonly mode: 'consecutive' | 'ratio';
  readonly threshold: number;
  readonly ratio: number;
  readonly windowMs: number;
  readonly recoveryMs: number;
}

/** Of the target: the same in all models that name it. */
export interface BulkheadConfiguration {
  /** Undefined: no bulkhead. */
  readonly maxConcurrent: number | undefined;
  readonly maxQueued: number;
  readonly maxQueueMs: number;
}

/** What may be used of a model. What is left out is not limited. */
export interface CallLimitConfiguration {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly concurrent?: number;
}

export interface ModelTarget {
  /** Name of a provider of the configuration. */
  readonly provider: string;
  /** The name by which the provider knows the model. May have slashes. */
  readonly model: string;
  /** Its share where a strategy goes by weight. */
  readonly weight: number;
}

import { classifyAttempt } from '@holdfast/kit/llm/layers/breaker';
import {
  createBulkhead,
  createCircuitBreaker,
  createRetryBudget,
  type BreakerNumbers,
  type BreakerStore,
  type Bulkhead,
  type BulkheadNumbers,
  type CircuitBreaker,
  type RetryBudget,
} from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';

/** What guards one target, whichever route leads there. What is undefined has the default of the kit. */
export interface GuardSettings {
  /** `enabled` is true by default. */
  readonly breaker?: Partial<BreakerNumbers> & { readonly enabled?: boolean };
  /** None without `maxConcurrent`. */
  readonly bulkhead?: { readonly [Name in keyof BulkheadNumbers]?: BulkheadNumbers[Name] | undefined };
  /** Retries as a share of calls, in percent. */
  readonly budgetPercent?: number;
}

export interface TargetGuard {
  readonly breaker: CircuitBreaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly budget: RetryBudget;
}

export interface TargetGuardOptions {
  /** `provider/model` */
  readonly name: string;
  readonly settings: GuardSettings;
  readonly clock: Clock;
  /** Where instances share the states of their breakers. Default: nowhere. */
  readonly breakerStore: BreakerStore | undefined;
}

/** The state of a target: it outlives the routes that lead there, so that an outage is not forgotten when they are read anew. */
export function createTargetGuard({ name, settings, clock, breakerStore }: TargetGuardOptions): TargetGuard {
  const { enabled = true, ...numbers } = settings.breaker ?? {};
  const { maxConcurrent, maxQueued, maxQueueMs } = settings.bulkhead ?? {};
  return {
    breaker: enabled
      ? createCircuitBreaker({ ...numbers, name, clock, classify: classifyAttempt, ...(breakerStore && { store: breakerStore }) })
      : undefined,
    bulkhead:
      maxConcurrent === undefined
        ? undefined
        : createBulkhead({
            name,
            clock,
            maxConcurrent,
            ...(maxQueued !== undefined && { maxQueued }),
            ...(maxQueueMs !== undefined && { maxQueueMs }),
          }),
    budget: createRetryBudget({ clock, ...(settings.budgetPercent !== undefined && { percent: settings.budgetPercent }) }),
  };
}

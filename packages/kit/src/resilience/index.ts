export {
  breakerDefaults,
  createBreakerGroup,
  createCircuitBreaker,
  createLocalBreakerStore,
  type BreakerAdmission,
  type BreakerGroup,
  type BreakerGroupOptions,
  type BreakerNumbers,
  type BreakerOptions,
  type BreakerPermit,
  type BreakerRefusal,
  type BreakerStatus,
  type BreakerStore,
  type BreakerTotals,
  type CircuitBreaker,
  type LastFailure,
  type SharedBreakerState,
} from './breaker/index.ts';
export { createCallContext, type CallContext, type CallContextOptions } from './call-context.ts';
export { classifyFailure } from './classify-failure.ts';
export {
  adaptiveDefaults,
  bulkheadDefaults,
  createAdaptiveConcurrency,
  createBulkhead,
  type AdaptiveConcurrency,
  type AdaptiveNumbers,
  type AdaptiveOptions,
  type Bulkhead,
  type BulkheadNumbers,
  type BulkheadOptions,
  type ConcurrencyStatus,
} from './concurrency/index.ts';
export { createPolicy, policyOrder, type ComposedPolicy, type PolicyLayer, type PolicyOptions } from './create-policy.ts';
export { deadline, type DeadlineOptions } from './deadline.ts';
export {
  breakerChanged,
  breakerStoreFailed,
  callRejected,
  callTimedOut,
  concurrencyLimitChanged,
  fallbackUsed,
  hedgeFinished,
  hedgeStarted,
  overloadBegan,
  overloadEnded,
  requestShed,
  retryAbandoned,
  retryScheduled,
  type BreakerChanged,
  type BreakerChangeReason,
  type BreakerState,
  type BreakerStoreFailed,
  type CallRejected,
  type CallTimedOut,
  type ConcurrencyLimitChanged,
  type FallbackUsed,
  type HedgeFinished,
  type HedgeStarted,
  type OverloadBegan,
  type OverloadEnded,
  type RequestShed,
  type RetryAbandoned,
  type RetryEnd,
  type RetryScheduled,
} from './events.ts';
export { createExecute, type Execute, type ExecuteOptions, type Work } from './execute.ts';
export { causeTraits, type CauseTraits, type FailureCause, type FailureClassifier } from './failure-cause.ts';
export { fallback, type FallbackOptions } from './fallback.ts';
export { createHedgeTrigger, hedge, hedgeDefaults, type HedgeNumbers, type HedgeOptions, type HedgeTrigger } from './hedge/index.ts';
export {
  createOverloadDetector,
  overloadDefaults,
  processSignalDefaults,
  processSignals,
  type LoadSignal,
  type LoadSignalStatus,
  type OverloadDetector,
  type OverloadNumbers,
  type OverloadOptions,
  type ProcessSignalNumbers,
  type ProcessSignalOptions,
  type ProcessSignals,
} from './overload/index.ts';
export { compose, type Operation, type Policy } from './policy.ts';
export {
  createRetryBudget,
  httpRetryDefaults,
  llmRetryDefaults,
  retry,
  retryBudgetDefaults,
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetStatus,
  type RetryNumbers,
  type RetryOptions,
} from './retry/index.ts';
export { timeout, type TimeoutOptions } from './timeout.ts';
export {
  withAdaptiveConcurrency,
  withBulkhead,
  withCircuitBreaker,
  withDeadline,
  withFallback,
  withHedge,
  withPolicy,
  withRetry,
  withTimeout,
} from './wrappers.ts';
export type { AnyFunction, WrapOptions, Wrapped } from './wrap.ts';

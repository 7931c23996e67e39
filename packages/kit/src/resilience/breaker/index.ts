export { createCircuitBreaker } from './breaker.ts';
export { createBreakerGroup, type BreakerGroup, type BreakerGroupOptions } from './breaker-group.ts';
export type {
  BreakerAdmission,
  BreakerPermit,
  BreakerRefusal,
  BreakerStatus,
  BreakerTotals,
  CircuitBreaker,
  LastFailure,
} from './circuit-breaker.ts';
export { createLocalBreakerStore } from './drivers/index.ts';
export { breakerDefaults, type BreakerNumbers, type BreakerOptions } from './options.ts';
export type { BreakerStore, SharedBreakerState } from './store.ts';

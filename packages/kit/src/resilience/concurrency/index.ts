export {
  adaptiveDefaults,
  createAdaptiveConcurrency,
  type AdaptiveConcurrency,
  type AdaptiveNumbers,
  type AdaptiveOptions,
} from './adaptive.ts';
export {
  bulkheadDefaults,
  createBulkhead,
  type Bulkhead,
  type BulkheadNumbers,
  type BulkheadOptions,
  type ConcurrencyStatus,
} from './bulkhead.ts';

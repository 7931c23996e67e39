export {
  bucketEvicted,
  settlementLost,
  storeLost,
  storeRecovered,
  takeDecided,
  type BucketEvicted,
  type SettlementLost,
  type StoreLost,
  type StoreRecovered,
  type TakeDecided,
} from './announcements.ts';
export { tighterDecision, type Decision, type SyncDecision } from './decision.ts';
export type {
  Awaitable,
  BucketStatus,
  BucketTake,
  ListedBucket,
  ListOptions,
  RateLimitDriver,
  Settlement,
  SyncRateLimitDriver,
  TakeOutcome,
} from './driver.ts';
export { createMemoryDriver, memoryDriverDefaults, type MemoryDriver, type MemoryDriverOptions } from './drivers/memory/index.ts';
export { headerFields } from './header-fields.ts';
export {
  localShareDefaults,
  withLocalShare,
  type LocalShareDriver,
  type LocalShareOptions,
  type LocalShareState,
  type SharedRateLimitDriver,
} from './local-share/index.ts';
export {
  concurrency,
  concurrencyDefaults,
  gcra,
  gcraDefaults,
  slidingWindow,
  windowDefaults,
  type ConcurrencyOptions,
  type ConcurrencyPolicy,
  type GcraOptions,
  type GcraPolicy,
  type LimitPolicy,
  type LimitUnit,
  type WindowOptions,
  type WindowPolicy,
} from './policies/index.ts';
export { createRateLimiter, type RateLimiter, type RateLimiterOptions, type SyncRateLimiter } from './rate-limiter.ts';
export { refusalError } from './refusal-error.ts';
export { limitLevels, limitTiers, tierPolicies, type LimitTier, type LimitTierName, type TierPolicies } from './tiers.ts';

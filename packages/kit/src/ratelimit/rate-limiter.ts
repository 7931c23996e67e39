import { hash } from 'node:crypto';
import { HoldfastError } from '../errors/index.ts';
import { takeDecided } from './announcements.ts';
import { TakenDecision, type Decision, type SyncDecision } from './decision.ts';
import type { Awaitable, BucketTake, ListedBucket, ListOptions, RateLimitDriver, SyncRateLimitDriver, TakeOutcome } from './driver.ts';

/** Takes from many buckets at once, all or none. */
export interface RateLimiter {
  /**
   * Takes the costs from all buckets, or, when one that is enforced has no room, from none. Throws `internal_error` for a cost that is
   * no number of units and for the same bucket twice; `limiter_unavailable` when the store cannot decide.
   */
  take(takes: readonly BucketTake[]): Awaitable<Decision>;
  /** What `take` would answer. Takes nothing; there is nothing to settle or release. */
  peek(takes: readonly BucketTake[]): Awaitable<Decision>;
  /** The fullest buckets first, for people who look. Those less than half full may be missing. */
  list(options?: ListOptions): Awaitable<readonly ListedBucket[]>;
  close(): Awaitable<void>;
}

/** A limiter within the process: answers at once. */
export interface SyncRateLimiter extends RateLimiter {
  take(takes: readonly BucketTake[]): SyncDecision;
  peek(takes: readonly BucketTake[]): SyncDecision;
  list(options?: ListOptions): readonly ListedBucket[];
  close(): void;
}

export interface RateLimiterOptions<Driver extends RateLimitDriver = RateLimitDriver> {
  readonly driver: Driver;
}

export function createRateLimiter(options: RateLimiterOptions<SyncRateLimitDriver>): SyncRateLimiter;
export function createRateLimiter(options: RateLimiterOptions): RateLimiter;
export function createRateLimiter({ driver }: RateLimiterOptions): RateLimiter {
  const taken = (outcome: TakeOutcome): Decision => {
    const decision = new TakenDecision(driver, outcome, checkCost);
    if (takeDecided.hasSubscribers) takeDecided.publish({ decision });
    return decision;
  };
  const peeked = (outcome: TakeOutcome): Decision => new TakenDecision(driver, outcome, checkCost);
  return {
    take: (takes) => then(driver.take(checkTakes(takes)), taken),
    peek: (takes) => then(driver.peek(checkTakes(takes)), peeked),
    list: (options) => driver.list(options),
    close: () => driver.close(),
  };
}

function then<T, U>(value: Awaitable<T>, next: (value: T) => U): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Longer keys cost the memory that the bound on buckets is meant to bound. */
const longestKey = 200;

function checkTakes(takes: readonly BucketTake[]): readonly BucketTake[] {
  let checked = takes;
  for (let at = 0; at < takes.length; at++) {
    const { policy, key, cost } = takes[at]!;
    if (cost !== undefined) {
      checkCost(cost);
      if (policy.kind === 'concurrency' && cost !== 1) throw misuse(`a lease of ${policy.name} costs 1, not ${cost}`);
    }
    if (key.length > longestKey) checked = checked.with(at, { ...takes[at]!, key: `sha256:${hash('sha256', key)}` });
    // Twice the same bucket would be checked twice against the same room, and overrun it.
    for (let before = 0; before < at; before++) {
      if (takes[before]!.key === key && takes[before]!.policy.id === policy.id)
        throw misuse(`the bucket ${policy.id} of one key was to be taken from twice in one step: take the sum of both costs`);
    }
  }
  return checked;
}

function checkCost(cost: number): void {
  if (!Number.isSafeInteger(cost) || cost < 0) throw misuse(`a cost is a whole number of 0 or more, not ${cost}`);
}

function misuse(detail: string): HoldfastError {
  return new HoldfastError('internal_error', { detail });
}

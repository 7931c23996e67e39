import type { LimitPolicy } from './policies/index.ts';

/** A value, or a promise of it: a driver in memory answers at once. */
export type Awaitable<T> = T | Promise<T>;

/** One bucket and what is to be taken from it. */
export interface BucketTake {
  readonly policy: LimitPolicy;
  /** Whose bucket: an address, the id of a key or of an organization. Any text; above 200 characters only its digest is kept. */
  readonly key: string;
  /** Units, 0 or more, whole. Default 1; always 1 where concurrency is limited. */
  readonly cost?: number;
}

/** A bucket as it is after the step. */
export interface BucketStatus {
  readonly policy: LimitPolicy;
  readonly key: string;
  readonly cost: number;
  /** There was no room for the cost. In a shadow bucket: it would have refused. */
  readonly refused: boolean;
  /** The cost is in the bucket now. */
  readonly taken: boolean;
  /** Whole units that could be taken now, after what was taken. Infinity without a limit. */
  readonly remaining: number;
  /** Until the bucket is as good as new if nobody takes from it; 0 for leases, whose end nobody knows. */
  readonly resetAfterMs: number;
  /** 0 when not refused; else until the cost fits if nobody takes in between; Infinity when it is more than the bucket holds. */
  readonly retryAfterMs: number;
  /** The driver's own note of what was taken, for settling. */
  readonly mark: unknown;
}

export interface TakeOutcome {
  /** No bucket that is enforced refused; then each that had room has the cost in it, else none has. */
  readonly allowed: boolean;
  /** The time of the store that decided, in Unix milliseconds. */
  readonly nowMs: number;
  /** In the order of the takes. */
  readonly buckets: readonly BucketStatus[];
}

/** What a bucket really cost. A lease is settled with 0, which releases it. */
export interface Settlement {
  /** As it came out of `take`. MUST be settled once at most. */
  readonly bucket: BucketStatus;
  readonly actual: number;
}

export interface ListOptions {
  /** Only buckets of this policy. Default: all. */
  readonly policy?: string;
  /** At most this many, 1 to 1,000. Default 20. */
  readonly limit?: number;
}

export interface ListedBucket {
  readonly policy: string;
  readonly kind: LimitPolicy['kind'];
  readonly key: string;
  /** Units in it, rounded up. */
  readonly used: number;
  /** Units that it holds. */
  readonly capacity: number;
  readonly resetAfterMs: number;
}

/**
 * Where buckets live. Implement it for a store of your own, and run the suite of `@holdfast/kit/ratelimit/contract` on it.
 *
 * `take` MUST be atomic: whoever calls it at the same time, from whichever process, each sees the buckets before or after the other's
 * step. A driver that cannot decide throws; it never lets through for that.
 */
export interface RateLimitDriver {
  take(takes: readonly BucketTake[]): Awaitable<TakeOutcome>;
  /** What `take` would answer, with the buckets as they are; changes nothing. */
  peek(takes: readonly BucketTake[]): Awaitable<TakeOutcome>;
  /** Gives back what was reserved too much, as far as it has not drained, or takes what was too little whether there is room or not. */
  settle(settlements: readonly Settlement[]): Awaitable<void>;
  /** Leases begin anew. False when one of them had already ended; it is not taken again. */
  renew(leases: readonly BucketStatus[]): Awaitable<boolean>;
  /** The fullest first; such as are less than half full may be missing. For people who look, not for the path of a request. */
  list(options?: ListOptions): Awaitable<readonly ListedBucket[]>;
  /** Frees timers; the caller's client stays open. */
  close(): Awaitable<void>;
}

/** A driver within the process. */
export interface SyncRateLimitDriver extends RateLimitDriver {
  take(takes: readonly BucketTake[]): TakeOutcome;
  peek(takes: readonly BucketTake[]): TakeOutcome;
  settle(settlements: readonly Settlement[]): void;
  renew(leases: readonly BucketStatus[]): boolean;
  list(options?: ListOptions): readonly ListedBucket[];
  close(): void;
}

/** Buckets less full than this need not be listed. */
export const listedFromShare = 0.5;

export const listDefaults = Object.freeze({ limit: 20 });

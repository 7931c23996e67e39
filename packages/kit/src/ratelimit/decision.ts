import type { Awaitable, BucketStatus, RateLimitDriver, TakeOutcome } from './driver.ts';

/** The answer to a take, and the handle on what was taken. */
export interface Decision {
  readonly allowed: boolean;
  /**
   * The bucket that the client has to look at; undefined when none limits. When refused: the one to wait for longest. When allowed:
   * the one that has room for the fewest more such calls. Never one in shadow, and a concurrency limit only when it refuses.
   */
  readonly binding: BucketStatus | undefined;
  /** 0 when allowed; Infinity when the cost is more than a bucket holds. */
  readonly retryAfterMs: number;
  /** The time of the store that decided, in Unix milliseconds. */
  readonly nowMs: number;
  /** In the order of the takes. */
  readonly buckets: readonly BucketStatus[];
  /**
   * Says what buckets of tokens really cost: gives back what was reserved too much, or takes the rest whether there is room or not.
   * Only the first call counts. Throws `internal_error` for what is no number of units.
   */
  settle(actual: number): Awaitable<void>;
  /** Ends the leases. Only the first call counts. */
  release(): Awaitable<void>;
  /** Both at once, in one round trip. */
  finish(actual: number): Awaitable<void>;
  /** Leases begin anew. False when one had already ended, or there is none. */
  renew(): Awaitable<boolean>;
}

/** A decision of a driver within the process. */
export interface SyncDecision extends Decision {
  settle(actual: number): void;
  release(): void;
  finish(actual: number): void;
  renew(): boolean;
}

export class TakenDecision implements Decision {
  readonly allowed: boolean;
  readonly binding: BucketStatus | undefined;
  readonly retryAfterMs: number;
  readonly nowMs: number;
  readonly buckets: readonly BucketStatus[];
  readonly #driver: RateLimitDriver;
  readonly #check: (actual: number) => void;
  #settled = false;
  #released = false;

  constructor(driver: RateLimitDriver, { allowed, nowMs, buckets }: TakeOutcome, check: (actual: number) => void) {
    this.#driver = driver;
    this.#check = check;
    this.allowed = allowed;
    this.nowMs = nowMs;
    this.buckets = buckets;
    this.binding = allowed ? tightest(buckets) : longestWait(buckets);
    this.retryAfterMs = allowed ? 0 : this.binding!.retryAfterMs;
  }

  settle(actual: number): Awaitable<void> {
    return this.#end(actual, false);
  }

  release(): Awaitable<void> {
    return this.#end(undefined, true);
  }

  finish(actual: number): Awaitable<void> {
    return this.#end(actual, true);
  }

  renew(): Awaitable<boolean> {
    const leases = this.#released ? [] : this.buckets.filter((bucket) => bucket.taken && bucket.policy.kind === 'concurrency');
    return leases.length > 0 && this.#driver.renew(leases);
  }

  // The flags are set before anything is awaited: two that finish at the same time are one.
  #end(actual: number | undefined, release: boolean): Awaitable<void> {
    if (actual !== undefined) this.#check(actual);
    const settlements = [];
    for (const bucket of this.buckets) {
      if (!bucket.taken) continue;
      if (bucket.policy.kind === 'concurrency') {
        if (release && !this.#released) settlements.push({ bucket, actual: 0 });
      } else if (bucket.policy.unit === 'tokens' && actual !== undefined && !this.#settled) {
        // Also when it is as much as was reserved: the bucket counts what is outstanding.
        settlements.push({ bucket, actual });
      }
    }
    if (actual !== undefined) this.#settled = true;
    if (release) this.#released = true;
    if (settlements.length > 0) return this.#driver.settle(settlements);
  }
}

/**
 * Of two decisions about one request, such as one at the door and one further along, the one that the client has to look at: a refusal, of
 * two the longer wait; else the one whose binding bucket has room for fewer more such calls.
 */
export function tighterDecision(first: Decision, second: Decision): Decision {
  // What is allowed has no wait, and every refusal has one.
  if (!first.allowed || !second.allowed) return first.retryAfterMs >= second.retryAfterMs ? first : second;
  if (!first.binding || !second.binding) return first.binding ? first : second;
  return callsLeft(first.binding) <= callsLeft(second.binding) ? first : second;
}

function longestWait(buckets: readonly BucketStatus[]): BucketStatus | undefined {
  let found: BucketStatus | undefined;
  for (const bucket of buckets) {
    if (!bucket.refused || bucket.policy.shadow) continue;
    if (found === undefined || bucket.retryAfterMs > found.retryAfterMs) found = bucket;
  }
  return found;
}

function tightest(buckets: readonly BucketStatus[]): BucketStatus | undefined {
  let found: BucketStatus | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const bucket of buckets) {
    if (bucket.policy.shadow || bucket.policy.kind === 'concurrency' || bucket.remaining === Number.POSITIVE_INFINITY) continue;
    const calls = callsLeft(bucket);
    if (calls < fewest || (calls === fewest && bucket.resetAfterMs > found!.resetAfterMs)) {
      found = bucket;
      fewest = calls;
    }
  }
  return found;
}

/** How many more calls like this one there is room for, since tokens and requests cannot be compared. */
function callsLeft(bucket: BucketStatus): number {
  return bucket.remaining / Math.max(1, bucket.cost);
}

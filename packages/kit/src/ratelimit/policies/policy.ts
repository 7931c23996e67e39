import { HoldfastError } from '../../errors/index.ts';

/** What every limit says of itself. */
export interface PolicyBasics {
  /** What the limit is called: in headers, metrics and the keys of a store. Letters, digits, `.`, `_` and `-`, up to 64. */
  readonly name: string;
  /**
   * Policies of one id share their buckets: those of one kind and name, also when their numbers differ, so that a limit can
   * change under way. Only a window of another length begins anew.
   */
  readonly id: string;
  /** What is counted. Buckets of `tokens` are reserved first and settled after. */
  readonly unit: LimitUnit;
  /** Kept as if it were enforced, and never refuses: to try a limit before it hurts. */
  readonly shadow: boolean;
}

export type LimitUnit = 'requests' | 'tokens' | 'concurrent-requests';

/**
 * GCRA, which is a bucket that leaks: it holds `burst` units and lets `limit` a period go. Debt is counted in integers: one
 * unit weighs `weight`, and `drain` goes each millisecond (`weight : drain` is `periodMs : limit` in lowest terms), so that
 * nothing is ever rounded.
 */
export interface GcraPolicy extends PolicyBasics {
  readonly kind: 'gcra';
  readonly limit: number;
  readonly periodMs: number;
  readonly burst: number;
  readonly weight: number;
  readonly drain: number;
}

/**
 * At most `limit` units in any `windowMs`. Counted in `slots` parts of the window, each of which is forgotten only when all of it
 * is older than the window: never above the limit, and room comes back up to one slot late.
 */
export interface WindowPolicy extends PolicyBasics {
  readonly kind: 'window';
  /** Infinity counts and refuses nothing. */
  readonly limit: number;
  readonly windowMs: number;
  readonly slots: number;
}

/** At most `limit` leases at once. One that is neither released nor renewed ends by itself after `leaseMs`. */
export interface ConcurrencyPolicy extends PolicyBasics {
  readonly kind: 'concurrency';
  readonly limit: number;
  readonly leaseMs: number;
  /** What a refused one is told to wait, since nobody knows when a place becomes free. */
  readonly retryAfterMs: number;
}

export type LimitPolicy = GcraPolicy | WindowPolicy | ConcurrencyPolicy;

/** The largest number that fits in a structured field (RFC 9651 §3.3.1), and far below where numbers lose units. */
const largestLimit = 999_999_999_999_999;

/** Collects what is wrong with a policy, so that all of it is said at once. */
export class PolicyFaults {
  readonly #faults: string[] = [];
  readonly #name: unknown;

  constructor(name: unknown) {
    this.#name = name;
    if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
      this.add('name', 'letters, digits, ".", "_" and "-", up to 64', name);
  }

  add(field: string, expected: string, received: unknown): void {
    this.#faults.push(`${field} must be ${expected}, not ${typeof received === 'string' ? JSON.stringify(received) : String(received)}`);
  }

  positiveInteger(field: string, value: number): void {
    if (!Number.isSafeInteger(value) || value < 1 || value > largestLimit) this.add(field, 'a whole number of 1 or more', value);
  }

  /** Throws `configuration_invalid` when there were faults. */
  throwIfAny(): void {
    if (this.#faults.length === 0) return;
    throw new HoldfastError('configuration_invalid', {
      detail: `the limit ${String(this.#name)} cannot be set so: ${this.#faults.join('; ')}`,
    });
  }
}

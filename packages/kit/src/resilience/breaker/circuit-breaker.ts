import type { BreakerState } from '../events.ts';
import type { Policy } from '../policy.ts';
import type { BreakerNumbers } from './options.ts';

/** Keeps calls away from a target that fails, and finds out by itself when it is well again. */
export interface CircuitBreaker {
  readonly name: string;
  /** The breaker around an operation. Refuses with `circuit_open`, which is not retried at the same target. */
  readonly policy: Policy;
  readonly state: BreakerState;
  /** A snapshot for people and health routes. */
  status(): BreakerStatus;
  /**
   * The same decision for code that is no single promise, such as a stream whose target has proved itself with the first
   * event. A promise only where a store has to be asked for the probe. A retry MUST NOT be a probe: with waits as long as
   * the recovery, each call to a target that is down would reach it several times.
   */
  enter(options?: { readonly mayProbe?: boolean }): BreakerAdmission | Promise<BreakerAdmission>;
  /**
   * By hand, at all instances: for good, or until the first probe after `recoveryMs`. In force here at once; resolves when
   * the store has it, rejects when it cannot.
   */
  open(options?: { readonly recoveryMs?: number }): Promise<void>;
  /** By hand, in the same way. Failures are counted from 0 again. */
  close(): Promise<void>;
  /** Each change of state of this breaker. Returns the end of the subscription. */
  onChange(listener: (change: { readonly from: BreakerState; readonly to: BreakerState }) => void): () => void;
  /** Ends its subscription to the store. It goes on working, for itself. */
  dispose(): void;
}

export type BreakerAdmission = BreakerPermit | BreakerRefusal;

export interface BreakerRefusal {
  readonly admitted: false;
  readonly reason: 'open' | 'probing';
  /** Until it is worth asking again; Infinity when it was opened by hand. */
  readonly retryAfterMs: number;
}

/** Leave to call. Exactly one of the three MUST follow; of a probe, whatever follows the first is ignored. */
export interface BreakerPermit {
  readonly admitted: true;
  readonly probe: boolean;
  succeeded(): void;
  /** Counted by the cause of the error. */
  failed(error: unknown): void;
  /** It came to no result that says anything about the target: the caller gave up, a race was lost. */
  abandoned(): void;
}

export interface BreakerStatus extends BreakerNumbers {
  readonly name: string;
  readonly state: BreakerState;
  /** Put into this state by an operator. */
  readonly byHand: boolean;
  /** In Unix milliseconds; undefined when it has never changed. */
  readonly changedAt: number | undefined;
  /** Until a probe is let through; 0 when one may go, undefined when closed, Infinity when opened by hand for good. */
  readonly probeInMs: number | undefined;
  /** Failures in a row, or in the window. */
  readonly failures: number;
  /** Of mode `ratio`: calls in the window. */
  readonly windowCalls: number | undefined;
  /** Since it was made, at this instance. */
  readonly totals: BreakerTotals;
  readonly lastFailure: LastFailure | undefined;
}

export interface BreakerTotals {
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  readonly opened: number;
}

export interface LastFailure {
  /** In Unix milliseconds. */
  readonly at: number;
  /** The code of the error, else its HTTP status, else its name. */
  readonly code: string;
  /** Its message: for operators only, since it may name hosts. */
  readonly detail: string;
}

import { defineChannel } from '../events/index.ts';
import type { FailureCause } from './failure-cause.ts';

// `name` is what the policy was given as its name: a target such as `openai/gpt-4o`. Bounded as the user's names are.

/** A failed attempt will be repeated at the same target. */
export interface RetryScheduled {
  readonly name: string;
  /** The attempt that failed, counted from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly cause: FailureCause;
  readonly error: unknown;
}
export const retryScheduled = defineChannel<RetryScheduled>('holdfast:resilience:retry-scheduled');

/** Why no further attempt was made. `cause`: of a kind that is not retried. `committed`: somebody has a part of the answer. */
export type RetryEnd = 'cause' | 'attempts' | 'budget' | 'retry_after' | 'deadline' | 'committed';

/** A failure was passed on without another attempt at this target. */
export interface RetryAbandoned {
  readonly name: string;
  readonly attempts: number;
  readonly reason: RetryEnd;
  readonly cause: FailureCause;
  readonly error: unknown;
}
export const retryAbandoned = defineChannel<RetryAbandoned>('holdfast:resilience:retry-abandoned');

export type BreakerState = 'closed' | 'open' | 'half_open';

/** What moved a breaker. `shared`: another instance did. */
export type BreakerChangeReason = 'failures' | 'probe_started' | 'probe_succeeded' | 'probe_failed' | 'by_hand' | 'shared';

export interface BreakerChanged {
  readonly name: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason: BreakerChangeReason;
  /** Until a probe is let through; Infinity when it was opened by hand for good. Undefined when it is not open. */
  readonly recoveryMs: number | undefined;
}
export const breakerChanged = defineChannel<BreakerChanged>('holdfast:resilience:breaker-changed');

/** The store of shared breaker states failed; this instance goes on by itself. */
export interface BreakerStoreFailed {
  readonly name: string;
  readonly action: 'watch' | 'publish' | 'claim' | 'release';
  readonly error: unknown;
}
export const breakerStoreFailed = defineChannel<BreakerStoreFailed>('holdfast:resilience:breaker-store-failed');

/** A policy of ours turned a call away before it reached the target. */
export interface CallRejected {
  readonly name: string;
  readonly policy: 'breaker' | 'bulkhead' | 'adaptive';
  readonly reason: 'open' | 'probing' | 'queue_full' | 'queue_timeout';
}
export const callRejected = defineChannel<CallRejected>('holdfast:resilience:call-rejected');

export interface CallTimedOut {
  readonly name: string;
  readonly policy: 'timeout' | 'deadline';
  readonly limitMs: number;
}
export const callTimedOut = defineChannel<CallTimedOut>('holdfast:resilience:call-timed-out');

/** A second request was sent because the first was slow. */
export interface HedgeStarted {
  readonly name: string;
  readonly afterMs: number;
}
export const hedgeStarted = defineChannel<HedgeStarted>('holdfast:resilience:hedge-started');

export interface HedgeFinished {
  readonly name: string;
  /** Who answered first; undefined when both failed or the call was given up. */
  readonly winner: 'first' | 'second' | undefined;
}
export const hedgeFinished = defineChannel<HedgeFinished>('holdfast:resilience:hedge-finished');

export interface ConcurrencyLimitChanged {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}
export const concurrencyLimitChanged = defineChannel<ConcurrencyLimitChanged>('holdfast:resilience:concurrency-limit-changed');

export interface FallbackUsed {
  readonly name: string;
  /** The alternative that is tried now, counted from 1. */
  readonly alternative: number;
  readonly cause: FailureCause;
  readonly error: unknown;
}
export const fallbackUsed = defineChannel<FallbackUsed>('holdfast:resilience:fallback-used');

/** The process has too much to do: from here on a part of the requests is refused. */
export interface OverloadBegan {
  /** The signal that is beyond its limit, such as `event_loop_delay`. */
  readonly reason: string;
  readonly signals: readonly { readonly name: string; readonly value: number; readonly limit: number; readonly overloaded: boolean }[];
}
export const overloadBegan = defineChannel<OverloadBegan>('holdfast:resilience:overload-began');

/** Every request is let in again. */
export interface OverloadEnded {
  /** The last signal that was beyond its limit. */
  readonly reason: string;
  readonly durationMs: number;
}
export const overloadEnded = defineChannel<OverloadEnded>('holdfast:resilience:overload-ended');

/** A request was refused because of an overload. */
export interface RequestShed {
  readonly reason: string;
}
export const requestShed = defineChannel<RequestShed>('holdfast:resilience:request-shed');

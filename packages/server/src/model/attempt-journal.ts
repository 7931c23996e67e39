import type { Usage } from '@holdfast/kit/llm';
import type { CallTracing } from './call-tracing.ts';

/** One try at one target, as it ended. */
export interface AttemptRecord {
  readonly provider: string;
  readonly model: string;
  /**
   * `refused`: a breaker or bulkhead of ours kept it from the target, which saw nothing. `cancelled`: another attempt for the same
   * call was the first to have something.
   */
  readonly outcome: 'completed' | 'failed' | 'aborted' | 'cancelled' | 'refused';
  readonly error_code: string | null;
  readonly latency_ms: number;
  /** What it may have cost while another attempt was the answer: beside the tokens of the call, not among them. */
  readonly extra?: ExtraUse;
}

/** Of an attempt that was stopped while another one for the same call was under way; its provider may have worked. */
export interface ExtraUse {
  readonly providerKind: string;
  /** Set when the call is settled. */
  usage?: Usage;
  /** With `usage`; null when the price is unknown. */
  costNanoUsd?: number | null;
}

/** What is written down of the attempts of one call as they begin and end. */
export interface AttemptJournal {
  /** Undefined while tracing is off. */
  readonly tracing: CallTracing | undefined;
  /** The provider that serves the call, or was tried last. */
  provider: string | undefined;
  /** Its kind, by which prices are looked up. */
  providerKind: string | undefined;
  /** The model asked of that provider. */
  targetModel: string | undefined;
  /** A connection took the request of that attempt: from then on the provider may have worked. */
  sent: boolean;
  /** Every try that ended, in the order in which they did. */
  readonly attempts: AttemptRecord[];
  /** Requests to providers so far, those under way included, those that were refused here not. */
  attemptsMade: number;
  attemptsUnderWay: number;
  /** Monotonic: since when at least one has been under way, and when none was any more. */
  attemptsBeganAt: number;
  attemptsEndedAt: number;
  /** The latest that failed, until it is followed by another. */
  failure: { readonly target: string; readonly error: unknown } | undefined;
  /** Milliseconds spent in waiting for providers: everything else is ours. */
  providerMs: number;
  /** Milliseconds between one attempt and the next: neither theirs nor ours. */
  pausedMs: number;
  /** The part of the time until the first event of a stream that was spent in either. */
  waitedForHeadMs: number | undefined;
  /** Where attempts are raced, by target: how it failed last, and until when it asked to be left alone, on the monotonic clock. */
  racedFailures: Map<string, { readonly error: unknown; readonly notBefore: number }> | undefined;
}

import type { HoldfastError } from '@holdfast/kit/errors';
import type { CallOutcome, Usage } from '@holdfast/kit/llm';
import type { RateLimiter } from '@holdfast/kit/ratelimit';
import type { CallRateLimits } from './call-rate-limits.ts';
import type { ModelCall } from './model-call.ts';
import type { Principal } from './principal.ts';

/** How a call ended, for its row. */
export interface CallEnding {
  readonly outcome: Exclude<CallOutcome, 'interrupted'>;
  readonly errorCode: string | undefined;
  readonly status: number;
  readonly usage: Usage | undefined;
  readonly finishReason: string | undefined;
  readonly servedModel: string | undefined;
  /** Null when the price is unknown. */
  readonly costNanoUsd: number | null;
  /** The price that it was reckoned by; undefined when it is unknown, or nothing was used. */
  readonly priceId?: string | undefined;
  readonly latencyMs: number;
  readonly overheadMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly finishedAt: number;
}

/** What bounds the use of models. Limits of a model come with its route, those of a key with the principal: only whether they count is asked here. */
export interface CallLimits {
  readonly limiter: RateLimiter;
  /** Undefined while limits are switched off. Asked for each call: a reload replaces it as a whole. */
  readonly current: CallLimitSettings | undefined;
}

export interface CallLimitSettings {
  /** Of the organization's tier, at this moment. From memory, and the same object for as long as it says the same. */
  organizationLimits(of: Pick<Principal, 'organizationTier'>): CallRateLimits | undefined;
  /** Tokens that are reserved for the answer of a call that names no maximum. */
  readonly assumedCompletionTokens: number;
  /** Counts and tells what would be refused, and refuses nothing. */
  readonly shadow: boolean;
}

/**
 * Where calls are recorded. A call is entered before its first byte reaches the client and settled before its last:
 * a crash in between leaves the entry, which is then settled as interrupted.
 */
export interface Ledger {
  /** False while nothing can be recorded; a call is then refused before it costs anything. */
  readonly available: boolean;
  enter(call: ModelCall): LedgerEntry;
}

/** Where calls are told of that were refused before the ledger had entered them. */
export interface CallAudit {
  /** What it returns is awaited before the refusal is told. MUST NOT throw or reject. */
  refused(call: ModelCall, error: HoldfastError): Promise<unknown> | undefined;
}

export interface LedgerEntry {
  /** Whether the intent of the call is already durable. */
  readonly durable: boolean;
  /** Resolves when it is; rejects with `ledger_unavailable`. MUST be awaited before the client gets a byte. */
  makeDurable(): Promise<void>;
  /**
   * Resolves when the row is committed; rejects with `ledger_unavailable` when that could not be learnt in time, in
   * which case the row may still be committed later. Called once. Repeating a commit is safe: rows are known by their id.
   */
  settle(ending: CallEnding): Promise<void>;
}

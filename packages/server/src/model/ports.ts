import type { HoldfastError } from '@holdfast/kit/errors';
import type { CallOutcome, Usage } from '@holdfast/kit/llm';
import type { RateLimiter } from '@holdfast/kit/ratelimit';
import type { CallRateLimits } from './call-rate-limits.ts';
import type { CallContext, ModelCall } from './model-call.ts';
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

/** Whose budgets count. */
export type BudgetedCaller = Pick<Principal, 'organizationId' | 'userId' | 'keyId'>;

/** When a call began, by both clocks: it belongs to the day and month of its beginning. */
export type BudgetedMoment = Pick<CallContext, 'startedAt' | 'startedMonotonic'>;

/** What calls may cost. */
export interface CallBudgets {
  /** Undefined where no budget is over the caller's calls. From memory; asked for each call. */
  of(caller: BudgetedCaller): AppliedBudgets | undefined;
}

/** All budgets that one caller is under. */
export interface AppliedBudgets {
  /** One of them refuses what it cannot hold, so the most that a call can cost has to be known. Otherwise 0 is reserved. */
  readonly hard: boolean;
  /** Holds so much back in all of them, or in none; decided in memory unless what is leased has no room. */
  reserve(moment: BudgetedMoment, nanoUsd: number): BudgetDecision | Promise<BudgetDecision>;
}

export type BudgetDecision = BudgetReservation | BudgetRefusal;

export interface BudgetReservation {
  readonly held: true;
  /** Ends it with what the call cost. MUST be called, however the call ends; a second time it does nothing. */
  settle(costNanoUsd: number): void;
}

export interface BudgetRefusal {
  readonly held: false;
  /** `budget_exceeded`, or `budget_unavailable` while nobody can say. */
  readonly error: HoldfastError;
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

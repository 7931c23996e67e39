import { defineChannel, type RequestTrace } from '../../events/index.ts';
import type { ErrorCategory, ErrorCode, HoldfastError } from '../../errors/index.ts';
import type { Dialect, Operation } from './operation.ts';
import type { Usage } from './usage.ts';

/** How a call ended, as the ledger records it. */
export type CallOutcome = 'completed' | 'failed' | 'refused' | 'aborted' | 'interrupted';

/** What is known of a call once it has ended and its row is durable. Carries no word of prompt or answer. */
export interface CallFinished {
  readonly callId: string;
  readonly requestId: string;
  readonly organizationId: string;
  readonly keyId: string;
  /** The person behind the key, when it is somebody's own. */
  readonly userId?: string | undefined;
  /** Of the trace that the request belongs to, if there is one. */
  readonly traceId?: string | undefined;
  readonly operation: Operation;
  readonly dialect: Dialect;
  readonly streamed: boolean;
  /** The name that the client asked for: any text at all, so never a metric label as it is. */
  readonly modelAsked: string;
  /** Undefined when no provider got as far as naming one. */
  readonly modelServed: string | undefined;
  /** The provider's name in the configuration; undefined when the call was refused before one was chosen. */
  readonly provider: string | undefined;
  readonly outcome: CallOutcome;
  readonly errorCode: ErrorCode | undefined;
  readonly errorCategory: ErrorCategory | undefined;
  /** The HTTP status that the client got; 499 when it had gone. */
  readonly status: number;
  readonly usage: Usage | undefined;
  /** Null when the price is unknown, which is not the same as 0. */
  readonly costNanoUsd: number | null;
  /** From the request's arrival to its end. */
  readonly latencyMs: number;
  /** From the request's arrival to the first event of the answer; streams only. */
  readonly firstTokenMs: number | undefined;
  /** The part of `latencyMs` that was spent in Holdfast and not in waiting for the provider. */
  readonly overheadMs: number;
  /** How many targets were tried, retries included; 0 for a refusal. */
  readonly attempts: number;
  /** Undefined while tracing is off. */
  readonly trace?: RequestTrace | undefined;
}

/** Published once per call, after its ledger row is durable. */
export const callFinished = defineChannel<CallFinished>('holdfast:llm:call-finished');

/** Which of several targets a call asks first. */
export interface TargetChosen {
  /** The name of the model in the configuration. */
  readonly model: string;
  /** `fallback`, `weighted`, `latency` or `cost`. */
  readonly strategy: string;
  /** `provider/model` */
  readonly target: string;
}

export const targetChosen = defineChannel<TargetChosen>('holdfast:llm:target-chosen');

/** An attempt failed and another follows, at the same target or the next: what the client never hears of. A failure that ends the call is told as its error. */
export interface AttemptFailed {
  readonly callId: string;
  readonly requestId: string;
  /** `provider/model` */
  readonly target: string;
  readonly error: HoldfastError;
  readonly organizationId?: string | undefined;
  readonly keyId?: string | undefined;
  /** The person behind the key, when it is somebody's own. */
  readonly userId?: string | undefined;
  /** Of the trace that the request belongs to, if there is one. */
  readonly traceId?: string | undefined;
}

export const attemptFailed = defineChannel<AttemptFailed>('holdfast:llm:attempt-failed');

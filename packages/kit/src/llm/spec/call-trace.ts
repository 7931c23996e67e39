import type { ErrorCode } from '../../errors/index.ts';
import { defineChannel, type RequestTrace } from '../../events/index.ts';
import type { Dialect, Operation } from './operation.ts';
import type { Usage } from './usage.ts';

/** A layer that a call went through. Times are the clock's monotonic milliseconds. */
export interface TracedLayer {
  readonly name: string;
  readonly beganAt: number;
  readonly endedAt: number;
  /** Of a layer that ended the call, or could not do its work. */
  readonly errorCode: ErrorCode | undefined;
}

/** One request to a provider, with its times on the clock's monotonic scale in milliseconds. */
export interface TracedAttempt {
  /** Counted from 1 over all targets of the call. */
  readonly number: number;
  /** The name in the configuration. */
  readonly provider: string;
  /** Its kind: the value of `gen_ai.provider.name`. */
  readonly providerKind: string;
  readonly model: string;
  /** Where it was sent; undefined for one that is reached over no network. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly outcome: 'completed' | 'failed' | 'aborted' | 'cancelled';
  readonly errorCode: ErrorCode | undefined;
  readonly beganAt: number;
  readonly endedAt: number;
  /** When the first event of a stream with something in it arrived. */
  readonly firstChunkAt: number | undefined;
  readonly servedModel: string | undefined;
  /** The provider's id of its answer, where it was read. */
  readonly responseId: string | undefined;
  readonly finishReason: string | undefined;
  readonly usage: Usage | undefined;
  /** Set when the provider was told: its spans hang below it. */
  readonly spanId: string | undefined;
  /** What was answered, in the client's dialect: where it was asked for, and of an attempt that completed. Bounded: more is cut off. */
  readonly answer: readonly Buffer[] | undefined;
}

/**
 * A call of a model that ended within a traced request: what spans are made of. Holds the body of the request, and so what was said:
 * no listener may keep it, log it or send it on as it is.
 */
export interface CallTraced {
  readonly trace: RequestTrace;
  readonly callId: string;
  readonly operation: Operation;
  readonly dialect: Dialect;
  readonly streamed: boolean;
  readonly organizationId: string;
  readonly errorCode: ErrorCode | undefined;
  readonly overheadMs: number;
  readonly costNanoUsd: number | null;
  readonly body: Readonly<Record<string, unknown>>;
  readonly layers: readonly TracedLayer[];
  readonly attempts: readonly TracedAttempt[];
}

/** Published right after `callFinished`, for calls that have a trace. */
export const callTraced = defineChannel<CallTraced>('holdfast:llm:call-traced');

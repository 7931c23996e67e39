import type { HoldfastError } from '@holdfast/kit/errors';
import type { RequestTrace } from '@holdfast/kit/events';
import type { AttemptHead, AttemptResult, CallOutcome, Dialect, Operation, PartialUse, ShallowBody } from '@holdfast/kit/llm';
import type { Decision } from '@holdfast/kit/ratelimit';
import type { Cancellation } from '@holdfast/kit/time';
import type { AttemptJournal } from './attempt-journal.ts';
import { beginCallTracing } from './call-tracing.ts';
import type { Principal } from './principal.ts';
import type { ModelRoute } from './model-route.ts';
import type { Pricing } from './pricing.ts';

/** Who calls, and until when: made once at the door, frozen, handed down. */
export interface CallContext {
  /** The client's id of the request, or one made for it. Shown and logged; never unique. */
  readonly requestId: string;
  readonly principal: Principal;
  /** Cancelled when the client goes away or the server must stop. */
  readonly cancellation: Cancellation;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** The same moment on the clock that never goes back. */
  readonly startedMonotonic: number;
  /** From where, and with what, as far as there was a client: for the audit log. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** Where the pieces of a streamed answer go. What ends it comes as the result of the call. */
export interface CallSink {
  /** The client has, or may have, a byte: there is no way back to another target. */
  readonly begun: boolean;
  head(head: AttemptHead): void;
  /** Returns false when the reader is behind. */
  data(bytes: Buffer): boolean;
  drained(callback: () => void): void;
  /** The attempt that gave what is not out yet has failed: it is forgotten, and another may begin. */
  abandon(): void;
}

/** One call of a model on its way through the layers. */
export interface ModelCall {
  /** Made by the server, UUID version 7: the one identity of the call. */
  readonly id: string;
  readonly context: CallContext;
  readonly operation: Operation;
  readonly dialect: Dialect;
  /** The name that the client asked for. */
  readonly model: string;
  readonly stream: boolean;
  readonly body: ShallowBody;
  /** Client headers that a provider may be handed, lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes for reports, as the client gave them: never an identity. */
  readonly endUser: string | undefined;
  readonly feature: string | undefined;
  readonly sink: CallSink;
  /** What the layers find out on the way. */
  readonly record: CallRecord;
}

/** The one mutable part of a call: measurements, written by the layer that knows them. */
export interface CallRecord extends AttemptJournal {
  route: ModelRoute | undefined;
  /** The prices of when the call began; set together with the route. */
  pricing: Pricing | undefined;
  /** Milliseconds until the first event of a stream, from the arrival of the request. */
  firstTokenMs: number | undefined;
  /** Milliseconds by layer, exclusive of the layers within. */
  readonly layers: Record<string, number>;
  /** What the limits of models, key and organization said; undefined where nothing limits. */
  limits: Decision | undefined;
  /** The most that the call can cost, held back from the hard budgets that it is under; undefined where there is none. */
  reservedNanoUsd: number | undefined;
  /** Set once, by the layer that settles the call. */
  settled: SettledCall | undefined;
}

export interface SettledCall {
  readonly outcome: CallOutcome;
  readonly error: HoldfastError | undefined;
  readonly use: PartialUse | undefined;
  readonly costNanoUsd: number | null;
  readonly priceId?: string | undefined;
  readonly usage: AttemptResult['usage'];
}

/** Resolves when the answer is whole and durable; otherwise throws a HoldfastError. */
export type CallNext = (call: ModelCall) => Promise<AttemptResult>;

/** A behaviour around a call. */
export type CallLayer = (next: CallNext) => CallNext;

export function emptyRecord(trace?: RequestTrace): CallRecord {
  return {
    tracing: trace && beginCallTracing(trace),
    route: undefined,
    pricing: undefined,
    provider: undefined,
    providerKind: undefined,
    targetModel: undefined,
    attempts: [],
    attemptsMade: 0,
    attemptsUnderWay: 0,
    attemptsBeganAt: 0,
    attemptsEndedAt: 0,
    failure: undefined,
    racedFailures: undefined,
    sent: false,
    firstTokenMs: undefined,
    waitedForHeadMs: undefined,
    providerMs: 0,
    pausedMs: 0,
    layers: {},
    limits: undefined,
    reservedNanoUsd: undefined,
    settled: undefined,
  };
}

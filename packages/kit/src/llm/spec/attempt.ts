import type { Cancellation } from '../../time/index.ts';
import type { Dialect, Operation } from './operation.ts';
import type { ShallowBody } from './shallow-body.ts';
import type { Usage } from './usage.ts';

/** One try of one call at one target. */
export interface AttemptRequest {
  readonly operation: Operation;
  /** The wire that the client speaks, in which the answer MUST be given. */
  readonly dialect: Dialect;
  /** The name by which the provider knows the model. */
  readonly model: string;
  readonly stream: boolean;
  /** The client's body as it came, with what was read of it. Not to be written to. */
  readonly body: ShallowBody;
  /** The client's headers that may travel on, lower case (`anthropic-beta`, …). */
  readonly headers: Readonly<Record<string, string>>;
  /** Cancelled when the client went away, a limit passed or the race was lost; the reason is what the attempt rejects with. */
  readonly cancellation: Cancellation;
  /**
   * When the whole call has to be over, on the clock's monotonic scale in milliseconds: no attempt goes on beyond it,
   * however much of its own time it has left.
   */
  readonly deadlineAt?: number;
  /** Which try at its target it is, counted from 1. Default 1. */
  readonly attempt?: number;
  /** 1 for the second attempt of a race, which takes a free slot and waits for none. Default 0. */
  readonly branch?: number;
  /** W3C trace context of this attempt, for providers that are to be told it. */
  readonly traceparent?: string;
}

export interface AttemptHead {
  /** The provider's headers that may travel on to the client, lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Where an attempt puts what arrives. Calls come in this order: `connected`, `head`, then `data` any number of times;
 * `pulse` at any time after `connected`. Nothing is called after the attempt's promise has settled.
 */
export interface AttemptSink {
  /** A connection took the request. */
  connected(): void;
  /** Bytes arrived, whatever they were: the provider is alive. */
  pulse(): void;
  /**
   * The first real event of a stream is there (a comment, a ping, an empty opening event are none). Streams only, once,
   * right before the first `data`.
   */
  head(head: AttemptHead): void;
  /**
   * Whole events of a stream, in the client's dialect. The events that say that a choice or the answer is finished, and all after
   * it, are never given here: they are the result's `tail`. Returns false when the reader is behind: the provider MUST
   * then stop reading until `drained` calls back.
   */
  data(bytes: Buffer): boolean;
  /** Calls back once when the reader has caught up. */
  drained(callback: () => void): void;
}

/** The sink of a call, which outlives an attempt: as long as nothing is out, the next attempt may begin where none had been. */
export interface RestartableSink extends AttemptSink {
  /** The reader has, or may have, a byte: there is no way back. */
  readonly begun: boolean;
  /** The attempt that gave what is not out yet has failed: it is forgotten, and another may begin. */
  abandon(): void;
}

export interface AttemptResult {
  readonly head: AttemptHead;
  /** The whole body of a plain answer; of a stream, its end from the finishing event on. Held back until the ledger has committed. */
  readonly tail: Buffer;
  /** Undefined when the provider reported none. */
  readonly usage: Usage | undefined;
  /** The finish reason in the provider's words (`stop`, `length`, `end_turn`, …). */
  readonly finishReason: string | undefined;
  /** The model that the provider says it served. */
  readonly servedModel: string | undefined;
  /** The provider's id of the answer. */
  readonly responseId?: string | undefined;
  /** Bytes of generated text seen, for an estimate where `usage` is missing. */
  readonly outputBytes: number;
}

/** What an attempt that did not end had already used; carried by the error, so that it can be recorded. */
export interface PartialUse {
  readonly usage: Usage | undefined;
  readonly outputBytes: number;
  readonly servedModel: string | undefined;
}

/**
 * A provider as the pipeline sees it. `attempt` resolves only when the answer is whole; in every other case it rejects
 * with a `HoldfastError` whose code says what happened, and MUST have released its connection by then.
 */
export interface Provider {
  /** The name in the configuration. */
  readonly name: string;
  /** `openai`, `anthropic`, `sandbox`, …: the value of `gen_ai.provider.name`. */
  readonly kind: string;
  /** The wire that the provider itself speaks. */
  readonly dialect: Dialect;
  /** The address that requests go to, for traces. Undefined for one that is reached over no network. */
  readonly baseUrl?: string | undefined;
  /** Whether it is told the trace context of its requests. Default: it is not. */
  readonly isToldTrace?: boolean | undefined;
  supports(operation: Operation): boolean;
  attempt(request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult>;
  /** Models that the provider lists, when it has a list of its own. */
  close(): Promise<void>;
}

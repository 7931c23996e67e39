import { AttemptError, type AttemptHead, type AttemptResult, type AttemptSink, type PartialUse } from '../spec/index.ts';
import type { ErrorCode } from '../../errors/index.ts';
import { readEventFields, type EventFields } from './event-data.ts';
import { EventSplitter } from './event-splitter.ts';
import type { StreamEventKind, StreamInspector } from './stream-inspector.ts';

export interface StreamReaderOptions {
  readonly inspector: StreamInspector;
  readonly sink: AttemptSink;
  readonly head: AttemptHead;
  /** Leaves out events that only tell what was used, because the client did not ask for them. */
  readonly dropUsageEvents: boolean;
  /** Written at the end when the provider left its end mark out. */
  readonly endMark: Buffer;
  /** Whether an end mark without a finish reason counts as an answer that is whole. */
  readonly endMarkSuffices: boolean;
  readonly maxEventBytes: number;
  /** Names the code of an error that a provider sends in the middle of a stream. */
  readonly classifyError: (error: NonNullable<StreamInspector['error']>) => ErrorCode;
  /** Makes what a provider says fit for the log. Default: as it is. */
  readonly maskMessage?: (message: string | undefined) => string | undefined;
}

/**
 * Reads one stream of events and passes its bytes on as they came. What is held back: the opening until the first real
 * event (so that another target can still take over), and everything from the finishing event on (so that no client takes
 * an answer for complete that is not in the ledger). Every event is parsed: a broken one must not reach a client as if it
 * were well.
 */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #splitter: EventSplitter;
  readonly #fields: EventFields = { name: undefined, data: undefined };
  readonly #onEvent = (bytes: Buffer, start: number, end: number): void => this.#event(bytes, start, end);
  #opening: Buffer[] | undefined = [];
  #tail: Buffer[] | undefined;
  /** Ends of single choices, held back while others go on: they go out with the end of all. */
  readonly #finished: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  // What may be passed on of the bytes in hand: one slice for all their events, as long as nothing between them is left out.
  #passBytes: Buffer | undefined;
  #passFrom = 0;
  #passTo = 0;
  #flowing = true;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#splitter = new EventSplitter(options.maxEventBytes);
  }

  /** The protocol's end mark was seen: nothing of worth follows. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes a chunk; returns false when the reader is behind. Throws an AttemptError when the stream cannot go on. */
  push(chunk: Buffer): boolean {
    this.#options.sink.pulse();
    this.#flowing = true;
    try {
      this.#splitter.push(chunk, this.#onEvent);
    } finally {
      this.#flush();
    }
    return this.#flowing;
  }

  /** The provider ended the stream in good order. Returns the result, or throws when the answer is not whole. */
  end(): AttemptResult {
    const { inspector, head } = this.#options;
    const whole = inspector.finishReason !== undefined && this.#tail !== undefined;
    if (!whole && !(this.#ended && this.#options.endMarkSuffices)) {
      throw this.failure('stream_cut', `the stream ended without ${this.#ended ? 'a finish reason' : 'an end'}`);
    }
    const tail = [...this.#finished, ...(this.#tail ?? [])];
    if (!this.#ended) tail.push(this.#options.endMark);
    return {
      head,
      tail: Buffer.concat(this.#opening ? [...this.#opening, ...tail] : tail),
      usage: inspector.usage,
      finishReason: inspector.finishReason,
      servedModel: inspector.servedModel,
      responseId: inspector.responseId,
      outputBytes: inspector.outputBytes,
    };
  }

  /** An error that carries what was used so far. */
  failure(code: ErrorCode, detail: string, cause?: unknown): AttemptError {
    return new AttemptError(code, { detail, cause, partial: this.partial() });
  }

  partial(): PartialUse {
    const { usage, outputBytes, servedModel } = this.#options.inspector;
    return { usage, outputBytes, servedModel };
  }

  #event(bytes: Buffer, start: number, end: number): void {
    if (this.#ended) return;
    readEventFields(bytes, start, end, this.#fields);
    const kind = this.#options.inspector.inspect(this.#fields.name, this.#fields.data);
    if (kind === 'error') {
      const error = this.#options.inspector.error ?? { type: undefined, message: undefined };
      const { maskMessage: masked = (message) => message } = this.#options;
      throw this.failure(
        this.#options.classifyError(error),
        `the provider sent an error in the stream: ${masked(error.type) ?? 'no type'}: ${masked(error.message) ?? 'no message'}`,
      );
    }
    if (kind === 'malformed') throw this.failure('provider_malformed', 'an event of the stream does not parse');
    if (kind === 'end') this.#ended = true;
    if (this.#tail !== undefined) {
      if (kind !== 'noise' && !this.#dropped(kind)) this.#hold(this.#tail, bytes.subarray(start, end));
      return;
    }
    if (kind === 'partial_finish') {
      this.#hold(this.#finished, Buffer.from(bytes.subarray(start, end)));
      return;
    }
    if (kind === 'finish' || kind === 'end') {
      this.#tail = [bytes.subarray(start, end)];
      return;
    }
    this.#pass(kind, bytes, start, end);
  }

  #dropped(kind: StreamEventKind): boolean {
    return kind === 'usage' && this.#options.dropUsageEvents;
  }

  #pass(kind: StreamEventKind, bytes: Buffer, start: number, end: number): void {
    if (this.#dropped(kind)) return;
    if (this.#opening !== undefined) {
      if (kind !== 'content') {
        // Copied: a slice would keep the whole chunk alive while the first token is awaited.
        if (kind === 'opening') this.#hold(this.#opening, Buffer.from(bytes.subarray(start, end)));
        return;
      }
      const opening = this.#opening;
      this.#opening = undefined;
      this.#options.sink.head(this.#options.head);
      if (opening.length > 0) this.#send(Buffer.concat(opening));
    }
    if (this.#passBytes === bytes && this.#passTo === start) {
      this.#passTo = end;
      return;
    }
    this.#flush();
    this.#passBytes = bytes;
    this.#passFrom = start;
    this.#passTo = end;
  }

  /** What is held back is bounded as one event is: a provider that never comes to the point must not fill the memory. */
  #hold(held: Buffer[], bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#options.maxEventBytes)
      throw this.failure('provider_too_large', 'more was held back than one event may hold');
    held.push(bytes);
  }

  #flush(): void {
    const bytes = this.#passBytes;
    if (!bytes) return;
    this.#passBytes = undefined;
    this.#send(this.#passFrom === 0 && this.#passTo === bytes.length ? bytes : bytes.subarray(this.#passFrom, this.#passTo));
  }

  #send(bytes: Buffer): void {
    if (!this.#options.sink.data(bytes)) this.#flowing = false;
  }
}

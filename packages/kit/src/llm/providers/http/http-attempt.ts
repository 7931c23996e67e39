import { isHoldfastError, type ErrorCode } from '../../../errors/index.ts';
import {
  AttemptError,
  type AttemptHead,
  type AttemptRequest,
  type AttemptResult,
  type AttemptSink,
  type PartialUse,
} from '../../spec/index.ts';
import type { Clock, Timer } from '../../../time/index.ts';
import type { Exchange, ResponseReader, TransportFailure } from '../../transport/index.ts';
import { StreamReader } from '../../wire/index.ts';
import { maskReason } from './mask-reason.ts';
import { readRetryAfterSeconds } from './retry-after.ts';
import type { UpstreamError, WireProfile } from './wire-profile.ts';
import { withoutWords } from './without-words.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface HttpAttemptLimits {
  /** Largest plain answer in bytes. */
  readonly maxAnswerBytes: number;
  /** Largest single event of a stream in bytes. */
  readonly maxEventBytes: number;
}

/** How much of an error's body is read: enough for any provider's error, not enough for a flood. */
const maxErrorBytes = 64 * 1024;

/**
 * How long the HTTP answer may take to end after the stream's own end mark, in milliseconds, so that its connection can
 * be used again. The client has its answer by then, and a provider that leaves the answer open loses the connection.
 */
const lingerMs = 1_000;

/** Codes that speak about the client's own request, whose reason the client therefore may see. */
const explained: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_rejected_request',
  'model_unsuited',
  'context_length_exceeded',
  'content_filtered',
]);

/** One request to a provider over HTTP, from its answer's first byte to an `AttemptResult` or an `AttemptError`. */
export class HttpAttempt implements ResponseReader {
  readonly #profile: WireProfile;
  readonly #request: AttemptRequest;
  readonly #sink: AttemptSink;
  readonly #limits: HttpAttemptLimits;
  readonly #dropUsageEvents: boolean;
  readonly #clock: Clock;
  readonly #apiKeys: readonly string[];
  readonly #credentialRefused: () => boolean;
  readonly #resolve: (result: AttemptResult) => void;
  readonly #reject: (error: AttemptError) => void;
  #exchange: Exchange | undefined;
  #stopListening: (() => void) | undefined;
  #status = 0;
  #headers: Headers = {};
  #head: AttemptHead = { headers: {} };
  #stream: StreamReader | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;
  #answerEnded = false;
  #linger: Timer | undefined;

  constructor(options: {
    readonly profile: WireProfile;
    readonly request: AttemptRequest;
    readonly sink: AttemptSink;
    readonly limits: HttpAttemptLimits;
    readonly dropUsageEvents: boolean;
    readonly clock: Clock;
    /** Masked wherever the provider's own words are passed on. */
    readonly apiKeys: readonly string[];
    /** The provider refused the credential. Returns whether another may do better. */
    readonly credentialRefused: () => boolean;
    readonly resolve: (result: AttemptResult) => void;
    readonly reject: (error: AttemptError) => void;
  }) {
    this.#profile = options.profile;
    this.#request = options.request;
    this.#sink = options.sink;
    this.#limits = options.limits;
    this.#dropUsageEvents = options.dropUsageEvents;
    this.#clock = options.clock;
    this.#apiKeys = options.apiKeys;
    this.#credentialRefused = options.credentialRefused;
    this.#resolve = options.resolve;
    this.#reject = options.reject;
  }

  /** Joins the attempt to its exchange; the transport may already have called back by then. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#over) return exchange.abort();
    this.#stopListening = this.#request.cancellation.onCancel((reason) => this.#cancelled(reason));
  }

  connected(): void {
    this.#sink.connected();
  }

  response(status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
    this.#head = { headers: this.#returned(headers) };
    if (!this.#request.stream || !this.#succeeded || !String(headers['content-type'] ?? '').includes('text/event-stream')) return;
    this.#stream = new StreamReader({
      inspector: this.#profile.inspector(this.#request),
      sink: this.#sink,
      head: this.#head,
      dropUsageEvents: this.#dropUsageEvents,
      endMark: this.#profile.endMark,
      endMarkSuffices: this.#profile.endMarkSuffices,
      maxEventBytes: this.#limits.maxEventBytes,
      classifyError: (error) => this.#profile.classify(0, error),
      maskMessage: (message) => this.#forLog(message),
    });
  }

  data(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (this.#stream) {
      let flowing: boolean;
      try {
        flowing = this.#stream.push(chunk);
      } catch (error) {
        this.#fail(this.#readable(error));
        return true;
      }
      if (flowing) this.#finishAtMark();
      else
        this.#sink.drained(() => {
          this.#finishAtMark();
          this.#exchange?.resume();
        });
      return flowing;
    }
    this.#sink.pulse();
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    const limit = this.#succeeded ? this.#limits.maxAnswerBytes : maxErrorBytes;
    if (this.#bytes > limit) {
      if (this.#succeeded) this.#fail(this.#error('provider_too_large', `the answer is larger than ${limit} bytes`));
      else this.#refused();
    }
    return true;
  }

  end(): void {
    this.#answerEnded = true;
    this.#linger?.cancel();
    if (this.#over) return;
    try {
      if (this.#stream) this.#succeed(this.#stream.end());
      else if (this.#succeeded) this.#succeed(this.#plain());
      else this.#refused();
    } catch (error) {
      this.#fail(this.#readable(error));
    }
  }

  failed(failure: TransportFailure): void {
    this.#answerEnded = true;
    this.#linger?.cancel();
    this.#fail(this.#error(failure.code, String((failure.cause as Error | undefined)?.message ?? failure.cause), failure.cause));
  }

  /** The protocol said that it is over: some providers leave the HTTP answer open all the same, and nobody should wait for it. */
  #finishAtMark(): void {
    if (this.#over || !this.#stream!.ended) return;
    try {
      this.#succeed(this.#stream!.end());
    } catch (error) {
      return this.#fail(this.#readable(error));
    }
    // The end mostly comes in the same packet, which is read to its end before this runs.
    queueMicrotask(() => {
      if (!this.#answerEnded) this.#linger = this.#clock.setTimeout(() => this.#exchange?.abort(), lingerMs);
    });
  }

  get #succeeded(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  #plain(): AttemptResult {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes);
    let answer: unknown;
    try {
      answer = JSON.parse(body.toString('utf8'));
    } catch {
      // Not the parser's error, which quotes the answer.
      throw this.#error('provider_malformed', `an answer of ${this.#bytes} bytes (${String(this.#headers['content-type'])}) is not JSON`);
    }
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
      throw this.#error('provider_malformed', 'the answer is no JSON object');
    const fields = answer as Record<string, unknown>;
    // Some servers say 200 and put the error inside; it must not pass for an answer.
    if ((fields['error'] !== undefined && fields['error'] !== null) || fields['type'] === 'error') {
      const error = this.#profile.error(answer);
      throw this.#explained(this.#profile.classify(0, error), error);
    }
    if (this.#request.stream) throw this.#error('provider_malformed', 'a stream was asked for and a plain answer came');
    return { head: this.#head, tail: body, ...this.#profile.read(this.#request.operation, fields) };
  }

  /** The provider answered with an error status. */
  #refused(): void {
    let error: UpstreamError = { type: undefined, message: undefined };
    try {
      error = this.#profile.error(JSON.parse(Buffer.concat(this.#chunks, this.#bytes).toString('utf8')));
    } catch {
      // HTML or nothing: the status says enough.
    }
    this.#fail(this.#explained(this.#profile.classify(this.#status, error), error));
  }

  #explained(code: ErrorCode, error: UpstreamError): AttemptError {
    const reason = explained.has(code) ? maskReason(error.message, this.#apiKeys) : undefined;
    const retryAfterSeconds = readRetryAfterSeconds(this.#headers, this.#clock.now());
    return new AttemptError(code, {
      detail: `the provider answered ${this.#status}: ${this.#forLog(error.type) ?? 'no type'}: ${this.#forLog(error.message) ?? 'no message'}`,
      ...(reason !== undefined && { details: { provider_message: reason } }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      upstreamStatus: this.#status,
      otherCredential: code === 'provider_auth_failed' && this.#credentialRefused(),
      partial: this.#partial(),
    });
  }

  #forLog(words: string | undefined): string | undefined {
    return withoutWords(maskReason(words, this.#apiKeys), this.#request.body);
  }

  #cancelled(reason: unknown): void {
    const code = isHoldfastError(reason) ? reason.code : 'client_closed';
    this.#fail(this.#error(code, isHoldfastError(reason) ? reason.message : 'cancelled', reason));
  }

  /** Whatever an answer made its reader throw: it is not trusted to have the form that it should have. */
  #readable(error: unknown): AttemptError {
    return isHoldfastError(error) ? (error as AttemptError) : this.#error('provider_malformed', 'the answer cannot be read', error);
  }

  #error(code: ErrorCode, detail: string, cause?: unknown): AttemptError {
    return new AttemptError(code, { detail, cause, partial: this.#partial(), ...(this.#status > 0 && { upstreamStatus: this.#status }) });
  }

  #partial(): PartialUse {
    return this.#stream?.partial() ?? { usage: undefined, outputBytes: 0, servedModel: undefined };
  }

  #returned(headers: Headers): Record<string, string> {
    const returned: Record<string, string> = {};
    for (const name of this.#profile.returnedHeaders) {
      const value = headers[name];
      if (typeof value === 'string') returned[name] = value;
    }
    const id = headers[this.#profile.requestIdHeader];
    if (typeof id === 'string') returned['x-holdfast-provider-request-id'] = id;
    return returned;
  }

  #succeed(result: AttemptResult): void {
    this.#over = true;
    this.#stopListening?.();
    this.#resolve(result);
  }

  #fail(error: AttemptError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopListening?.();
    this.#exchange?.abort();
    this.#reject(error);
  }
}

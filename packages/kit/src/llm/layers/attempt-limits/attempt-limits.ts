import { HoldfastError, isHoldfastError, type ErrorCode } from '../../../errors/index.ts';
import { Cancellation, type Clock, type Timer } from '../../../time/index.ts';
import {
  AttemptError,
  type AttemptHead,
  type AttemptLayer,
  type AttemptNext,
  type AttemptRequest,
  type AttemptResult,
  type AttemptSink,
} from '../../spec/index.ts';
import type { AttemptLimits } from './options.ts';

/**
 * Bounds every wait of an attempt. When a limit passes, the attempt is cancelled (its connection is closed, not only the
 * wait ended) and rejects with the limit's own code.
 */
export function attemptLimits(limits: AttemptLimits, clock: Clock): AttemptLayer {
  return <Request extends AttemptRequest>(next: AttemptNext<Request>): AttemptNext<Request> =>
    (request, sink) => {
      const watch = new AttemptWatch(limits, clock, request, sink);
      return next(watch.request, watch).then(
        (result) => watch.succeeded(result),
        (error: unknown) => watch.failed(error),
      );
    };
}

/** What is waited for; `reader` has no limit but the total. */
type Phase = 'connect' | 'firstToken' | 'silence' | 'reader' | 'plain';

const codes: Partial<Record<Phase, ErrorCode>> = {
  connect: 'provider_connect_timeout',
  firstToken: 'first_token_timeout',
  plain: 'first_token_timeout',
  silence: 'stream_stalled',
};

/**
 * One object an attempt: the inner request's cancellation, the sink in between, and one timer. The timer is not moved when
 * something happens (there are thousands of pulses for each limit that passes); it looks when it fires whether there is
 * still something to wait for, and sleeps on.
 */
class AttemptWatch<Request extends AttemptRequest> implements AttemptSink {
  readonly request: Request;
  readonly #limits: AttemptLimits;
  readonly #clock: Clock;
  readonly #sink: AttemptSink;
  readonly #cancellation = new Cancellation();
  readonly #stopListening: () => void;
  readonly #beganAt: number;
  readonly #endsAt: number;
  #blameless = false;
  #phase: Phase = 'connect';
  /** When the phase began, or, in silence, when the provider was last heard. */
  #since: number;
  #timer: Timer | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  constructor(limits: AttemptLimits, clock: Clock, request: Request, sink: AttemptSink) {
    this.#limits = limits;
    this.#clock = clock;
    this.#sink = sink;
    this.request = { ...request, cancellation: this.#cancellation };
    this.#stopListening = request.cancellation.onCancel((reason) => this.#cancellation.cancel(reason));
    this.#beganAt = this.#since = clock.monotonic();
    this.#endsAt = Math.min(this.#since + limits.totalMs, request.deadlineAt ?? Number.POSITIVE_INFINITY);
    this.#sleep(this.#since);
  }

  connected(): void {
    this.#enter(this.request.stream ? 'firstToken' : 'plain');
    this.#sink.connected();
  }

  pulse(): void {
    if (this.#phase === 'silence') this.#since = this.#clock.monotonic();
    this.#sink.pulse();
  }

  head(head: AttemptHead): void {
    this.#enter('silence');
    this.#sink.head(head);
  }

  data(bytes: Buffer): boolean {
    if (this.#sink.data(bytes)) return true;
    // The reader is slow, not the provider: its silence does not count until it may speak again.
    this.#phase = 'reader';
    return false;
  }

  drained(callback: () => void): void {
    this.#sink.drained(() => {
      if (this.#phase === 'reader') this.#enter('silence');
      callback();
    });
  }

  succeeded(result: AttemptResult): AttemptResult {
    this.#release();
    return result;
  }

  failed(error: unknown): never {
    this.#release();
    throw this.#blameless ? blameless(error) : error;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#clock.monotonic();
    // Only a limit that passes before the timer would look needs it to look sooner.
    if (this.#dueAt() < this.#firesAt) this.#sleep(this.#since);
  }

  #phaseLimitMs(): number {
    switch (this.#phase) {
      case 'connect':
        return this.#limits.connectMs;
      case 'firstToken':
        return this.#limits.firstTokenMs;
      case 'silence':
        return this.#limits.stallMs;
      case 'plain':
        return this.#limits.answerMs;
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  #dueAt(): number {
    return Math.min(this.#endsAt, this.#since + this.#phaseLimitMs());
  }

  #sleep(now: number): void {
    this.#timer?.cancel();
    this.#firesAt = this.#dueAt();
    this.#timer = this.#clock.setTimeout(() => this.#look(), Math.max(0, this.#firesAt - now));
  }

  #look(): void {
    const now = this.#clock.monotonic();
    // Timers may fire up to a millisecond early.
    if (now < this.#dueAt() - 1) return this.#sleep(now);
    if (now >= this.#endsAt - 1) return this.#expireWhole();
    this.#expire(codes[this.#phase]!, this.#phaseLimitMs());
  }

  /**
   * Not the fault of a target that was answering: how long an answer is, and how slowly it is read, is the client's choice, and
   * no client may close a target to the others. Nor of one that was asked so late that it had not half of its time.
   */
  #expireWhole(): void {
    this.#blameless = this.#phase === 'silence' || this.#phase === 'reader' || this.#endsAt - this.#beganAt < this.#limits.totalMs / 2;
    this.#expire('call_timeout', this.#endsAt - this.#beganAt);
  }

  #expire(code: ErrorCode, limitMs: number): void {
    this.#cancellation.cancel(new HoldfastError(code, { detail: `the limit of ${Math.round(limitMs)} ms passed` }));
  }

  #release(): void {
    // A drain or a pulse that comes late must not set a timer for an attempt that is over.
    this.#phase = 'reader';
    this.#firesAt = Number.NEGATIVE_INFINITY;
    this.#timer?.cancel();
    this.#stopListening();
  }
}

function blameless(error: unknown): unknown {
  if (!isHoldfastError(error)) return error;
  const { partial, upstreamStatus } = error as Partial<AttemptError>;
  return new AttemptError(error.code, {
    detail: error.message,
    cause: error,
    blameless: true,
    ...(partial && { partial }),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  });
}

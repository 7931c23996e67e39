import { HoldfastError, type ErrorCode } from '../../../errors/index.ts';
import { Cancellation, type Clock, type Timer } from '../../../time/index.ts';
import type { AttemptHead, AttemptLayer, AttemptNext, AttemptRequest, AttemptResult, AttemptSink } from '../../spec/index.ts';
import type { AttemptLimits } from './options.ts';

/**
 * Bounds every wait of an attempt. When a limit passes, the attempt is cancelled (its connection is closed, not only the
 * wait ended) and rejects with the limit's own code.
 */
export function attemptLimits(limits: AttemptLimits, clock: Clock): AttemptLayer {
  return (next: AttemptNext): AttemptNext =>
    (request, sink) => {
      const watch = new AttemptWatch(limits, clock, request, sink);
      return next(watch.request, watch).then(
        (result) => watch.succeeded(result),
        (error: unknown) => watch.failed(error),
      );
    };
}

/** What is waited for; `reader` and `plain` have no limit but the total. */
type Phase = 'connect' | 'firstToken' | 'silence' | 'reader' | 'plain';

const codes: Partial<Record<Phase, ErrorCode>> = {
  connect: 'provider_connect_timeout',
  firstToken: 'first_token_timeout',
  silence: 'stream_stalled',
};

/**
 * One object an attempt: the inner request's cancellation, the sink in between, and one timer. The timer is not moved when
 * something happens (there are thousands of pulses for each limit that passes); it looks when it fires whether there is
 * still something to wait for, and sleeps on.
 */
class AttemptWatch implements AttemptSink {
  readonly request: AttemptRequest;
  readonly #limits: AttemptLimits;
  readonly #clock: Clock;
  readonly #sink: AttemptSink;
  readonly #cancellation = new Cancellation();
  readonly #stopListening: () => void;
  readonly #endsAt: number;
  #phase: Phase = 'connect';
  /** When the phase began, or, in silence, when the provider was last heard. */
  #since: number;
  #timer: Timer | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  constructor(limits: AttemptLimits, clock: Clock, request: AttemptRequest, sink: AttemptSink) {
    this.#limits = limits;
    this.#clock = clock;
    this.#sink = sink;
    this.request = { ...request, cancellation: this.#cancellation };
    this.#stopListening = request.cancellation.onCancel((reason) => this.#cancellation.cancel(reason));
    this.#since = clock.monotonic();
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
    throw error;
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
    if (now >= this.#endsAt - 1) return this.#expire('call_timeout', this.#limits.totalMs);
    this.#expire(codes[this.#phase]!, this.#phaseLimitMs());
  }

  #expire(code: ErrorCode, limitMs: number): void {
    this.#cancellation.cancel(new HoldfastError(code, { detail: `the limit of ${limitMs} ms passed` }));
  }

  #release(): void {
    // A drain or a pulse that comes late must not set a timer for an attempt that is over.
    this.#phase = 'plain';
    this.#firesAt = Number.NEGATIVE_INFINITY;
    this.#timer?.cancel();
    this.#stopListening();
  }
}

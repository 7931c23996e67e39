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

/** One object an attempt: the inner request's cancellation, the sink in between, and at most two timers. */
class AttemptWatch implements AttemptSink {
  readonly request: AttemptRequest;
  readonly #limits: AttemptLimits;
  readonly #clock: Clock;
  readonly #sink: AttemptSink;
  readonly #cancellation = new Cancellation();
  readonly #stopListening: () => void;
  readonly #total: Timer;
  #phase: 'connect' | 'firstToken' | 'stall' | 'plain' = 'connect';
  #timer: Timer | undefined;
  #waiting = false;

  constructor(limits: AttemptLimits, clock: Clock, request: AttemptRequest, sink: AttemptSink) {
    this.#limits = limits;
    this.#clock = clock;
    this.#sink = sink;
    this.request = { ...request, cancellation: this.#cancellation };
    this.#stopListening = request.cancellation.onCancel((reason) => this.#cancellation.cancel(reason));
    this.#total = clock.setTimeout(() => this.#expire('call_timeout', limits.totalMs), limits.totalMs);
    this.#timer = clock.setTimeout(() => this.#expire('provider_connect_timeout', limits.connectMs), limits.connectMs);
  }

  connected(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.request.stream) {
      this.#phase = 'firstToken';
      const { firstTokenMs } = this.#limits;
      this.#timer = this.#clock.setTimeout(() => this.#expire('first_token_timeout', firstTokenMs), firstTokenMs);
    } else {
      this.#phase = 'plain';
    }
    this.#sink.connected();
  }

  pulse(): void {
    if (this.#phase === 'stall' && !this.#waiting) this.#timer!.refresh();
    this.#sink.pulse();
  }

  head(head: AttemptHead): void {
    this.#phase = 'stall';
    this.#timer?.cancel();
    this.#watchSilence();
    this.#sink.head(head);
  }

  data(bytes: Buffer): boolean {
    if (this.#sink.data(bytes)) return true;
    // The reader is slow, not the provider: its silence does not count until it may speak again.
    this.#waiting = true;
    this.#timer?.cancel();
    return false;
  }

  drained(callback: () => void): void {
    this.#sink.drained(() => {
      if (this.#waiting && !this.#cancellation.cancelled) {
        this.#waiting = false;
        this.#watchSilence();
      }
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

  #watchSilence(): void {
    const { stallMs } = this.#limits;
    this.#timer = this.#clock.setTimeout(() => this.#expire('stream_stalled', stallMs), stallMs);
  }

  #expire(code: ErrorCode, limitMs: number): void {
    this.#cancellation.cancel(new HoldfastError(code, { detail: `the limit of ${limitMs} ms passed` }));
  }

  #release(): void {
    this.#phase = 'plain';
    this.#waiting = false;
    this.#timer?.cancel();
    this.#total.cancel();
    this.#stopListening();
    // A drain that comes late must not set a timer for an attempt that is over.
    this.#cancellation.cancel(undefined);
  }
}

import { HoldfastError } from '../../../errors/index.ts';
import { Cancellation, type Clock, type Timer } from '../../../time/index.ts';
import type { Span } from '../span.ts';
import type { SpanExporter } from './span-exporter.ts';

export interface SpanQueueOptions {
  readonly exporter: SpanExporter;
  readonly clock: Clock;
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
  readonly scheduleDelayMs: number;
  readonly onSpans?: ((outcome: SpanOutcome, count: number) => void) | undefined;
}

/**
 * `exported`; `dropped`: there was no room in the queue; `rejected`: the receiver refused them; `failed`: they were not sent in time;
 * `left_out`: a request had more than it may have.
 */
export type SpanOutcome = 'exported' | 'dropped' | 'rejected' | 'failed' | 'left_out';

/** In spans, since the start. */
export type SpanCounts = Record<SpanOutcome, number>;

/**
 * Spans between those who make them and the exporter: bounded, and sent in batches, one batch at a time. Whoever offers spans waits
 * for nothing. When the receiver does not keep up the newest are dropped: what is queued is whole, and what comes next has as good a chance.
 */
export class SpanQueue {
  readonly #options: SpanQueueOptions;
  readonly counts: SpanCounts = { exported: 0, dropped: 0, rejected: 0, failed: 0, left_out: 0 };
  readonly #ending = new Cancellation();
  #waiting: Span[] = [];
  #sending: Promise<void> | undefined;
  #inExport = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  /** Those that wait, and those that are being sent. */
  get size(): number {
    return this.#waiting.length + this.#inExport;
  }

  count(outcome: SpanOutcome, count: number): void {
    if (count === 0) return;
    this.counts[outcome] += count;
    this.#options.onSpans?.(outcome, count);
  }

  /** Takes all of them or none, since half of a trace misleads. */
  offer(spans: readonly Span[]): void {
    const { maxQueueSize, maxBatchSize, scheduleDelayMs, clock } = this.#options;
    if (this.#closed || this.size + spans.length > maxQueueSize) {
      this.count('dropped', spans.length);
      return;
    }
    for (const span of spans) this.#waiting.push(span);
    if (this.#sending) return;
    if (this.#waiting.length >= maxBatchSize) this.#send();
    else this.#timer ??= clock.setTimeout(() => this.#send(), scheduleDelayMs);
  }

  /**
   * Sends what is left, for as long as it may, and gives up what is not through by then, also when the exporter does not end in time: a
   * receiver that hangs holds up no stop.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    const { clock, exporter } = this.#options;
    const tooLate = Promise.withResolvers<void>();
    const bound = clock.setTimeout(
      () => {
        this.#ending.cancel(new HoldfastError('operation_timeout', { detail: 'the server stops' }));
        tooLate.resolve();
      },
      timeoutMs,
      true,
    );
    exporter.hurry?.();
    while (this.size > 0 && !this.#ending.cancelled) {
      this.#send();
      await Promise.race([this.#sending, tooLate.promise]);
    }
    bound.cancel();
    this.count('failed', this.size);
    this.#waiting = [];
    this.#inExport = 0;
    await exporter.close();
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
      // What came while the last of them was on its way, and was too little for a batch.
      if (this.#waiting.length > 0 && !this.#closed)
        this.#timer = this.#options.clock.setTimeout(() => this.#send(), this.#options.scheduleDelayMs);
    });
  }

  async #drain(): Promise<void> {
    const { exporter, maxBatchSize } = this.#options;
    do {
      const batch = this.#waiting.splice(0, maxBatchSize);
      this.#inExport = batch.length;
      const result = await exporter.export(batch, this.#ending);
      // Counted as given up already.
      if (this.#ending.cancelled) return;
      this.#inExport = 0;
      for (const outcome of ['exported', 'rejected', 'failed'] as const) this.count(outcome, result[outcome]);
    } while (this.#waiting.length >= maxBatchSize || (this.#closed && this.#waiting.length > 0));
  }
}

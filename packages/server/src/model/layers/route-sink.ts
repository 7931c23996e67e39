import type { AttemptHead, RestartableSink } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import type { ModelCall } from '../model-call.ts';

/** Where all attempts of one call end: the sink of the call. */
export class RouteSink implements RestartableSink {
  readonly #call: ModelCall;
  readonly #clock: Clock;

  constructor(call: ModelCall, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
  }

  get begun(): boolean {
    return this.#call.sink.begun;
  }

  connected(): void {}
  pulse(): void {}

  head(head: AttemptHead): void {
    const { record, context, sink } = this.#call;
    record.firstTokenMs = this.#clock.monotonic() - context.startedMonotonic;
    sink.head(head);
  }

  data(bytes: Buffer): boolean {
    return this.#call.sink.data(bytes);
  }

  drained(callback: () => void): void {
    this.#call.sink.drained(callback);
  }

  abandon(): void {
    this.#call.sink.abandon();
  }
}

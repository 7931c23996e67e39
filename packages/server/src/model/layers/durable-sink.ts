import type { AttemptHead } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { noteLayer } from '../call-tracing.ts';
import type { CallSink, ModelCall } from '../model-call.ts';
import type { LedgerEntry } from '../ports.ts';

/** Lets no byte of a stream out before the intent of its call is durable. */
export class DurableSink implements CallSink {
  readonly #call: ModelCall;
  readonly #entry: LedgerEntry;
  readonly #clock: Clock;
  #state: 'closed' | 'waiting' | 'open' = 'closed';
  #head: AttemptHead | undefined;
  #held: Buffer[] = [];
  #drained: (() => void)[] = [];
  /** Settles once what was held back has gone out; undefined when nothing is. Rejects with what kept the intent from being written. */
  opened: Promise<void> | undefined;

  constructor(call: ModelCall, entry: LedgerEntry, clock: Clock) {
    this.#call = call;
    this.#entry = entry;
    this.#clock = clock;
  }

  get begun(): boolean {
    return this.#state === 'open';
  }

  head(head: AttemptHead): void {
    if (this.#entry.durable) {
      this.#state = 'open';
      this.#call.sink.head(head);
      return;
    }
    this.#state = 'waiting';
    this.#head = head;
    const began = this.#clock.monotonic();
    this.opened = this.#entry.makeDurable().then(() => {
      const now = this.#clock.monotonic();
      this.#call.record.layers['ledger'] = now - began;
      noteLayer(this.#call.record.tracing, 'ledger.intent', began, now);
      // Of an attempt that failed meanwhile nothing is left to go out.
      if (this.#head === head) this.#open(head);
    });
    this.opened.catch((error: unknown) => this.#call.context.cancellation.cancel(error));
  }

  data(bytes: Buffer): boolean {
    if (this.#state === 'open') return this.#call.sink.data(bytes);
    this.#held.push(bytes);
    return false;
  }

  drained(callback: () => void): void {
    if (this.#state === 'open') this.#call.sink.drained(callback);
    else this.#drained.push(callback);
  }

  abandon(): void {
    if (this.#state === 'open') return;
    this.#state = 'closed';
    this.#head = undefined;
    this.#held = [];
    this.#drained = [];
  }

  #open(head: AttemptHead): void {
    if (this.#call.context.cancellation.cancelled || this.#call.record.settled) return;
    this.#state = 'open';
    const { sink } = this.#call;
    sink.head(head);
    let flowing = true;
    for (const bytes of this.#held) flowing = sink.data(bytes);
    this.#held = [];
    const waiting = this.#drained;
    this.#drained = [];
    if (flowing) for (const callback of waiting) callback();
    else for (const callback of waiting) sink.drained(callback);
  }
}

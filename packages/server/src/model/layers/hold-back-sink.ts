import type { AttemptHead, RestartableSink } from '@holdfast/kit/llm';
import type { Clock, Timer } from '@holdfast/kit/time';

/** Most that is kept back of one stream, in bytes: a provider that sends much sends it soon. */
const maxHeldBytes = 64 * 1024;

/**
 * Keeps the beginning of a stream back for a time, so that one that breaks off meanwhile can be begun again without anybody
 * having seen it. Ends by time, by size, or with the answer.
 */
export class HoldBackSink implements RestartableSink {
  readonly #sink: RestartableSink;
  readonly #holdBackMs: number;
  readonly #clock: Clock;
  #head: AttemptHead | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #timer: Timer | undefined;
  #open = false;

  constructor(sink: RestartableSink, holdBackMs: number, clock: Clock) {
    this.#sink = sink;
    this.#holdBackMs = holdBackMs;
    this.#clock = clock;
  }

  get begun(): boolean {
    return this.#sink.begun;
  }

  connected(): void {
    this.#sink.connected();
  }

  pulse(): void {
    this.#sink.pulse();
  }

  head(head: AttemptHead): void {
    this.#head = head;
    this.#timer = this.#clock.setTimeout(() => this.release(), this.#holdBackMs, true);
  }

  data(bytes: Buffer): boolean {
    if (this.#open) return this.#sink.data(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    return this.#heldBytes < maxHeldBytes || this.release();
  }

  drained(callback: () => void): void {
    this.#sink.drained(callback);
  }

  abandon(): void {
    this.#timer?.cancel();
    this.#head = undefined;
    this.#held = [];
    this.#heldBytes = 0;
    this.#open = false;
    this.#sink.abandon();
  }

  /** Lets out what is held; what follows goes straight through. Returns whether the reader can take more. */
  release(): boolean {
    const head = this.#head;
    if (head === undefined) return true;
    this.#timer?.cancel();
    this.#head = undefined;
    this.#open = true;
    const held = this.#held;
    this.#held = [];
    this.#sink.head(head);
    let flowing = true;
    for (const bytes of held) flowing = this.#sink.data(bytes);
    return flowing;
  }
}

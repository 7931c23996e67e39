import type { Cancellation, Clock, Timer } from '../../../time/index.ts';
import type { AttemptSink } from '../../spec/index.ts';

/** Thrown out of a wait when the attempt was cancelled. */
export class Cancelled extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super('cancelled');
    this.reason = reason;
  }
}

/** After so many steps without a wait, the event loop gets a turn: a cancellation must be able to arrive. */
const stepsPerTurn = 256;

/** The waits of one attempt; each ends at once, by throwing `Cancelled`, when the attempt is cancelled. */
export class Waits {
  readonly #clock: Clock;
  readonly #cancellation: Cancellation;
  readonly #stopListening: () => void;
  #refuse: ((error: Cancelled) => void) | undefined;
  #timer: Timer | undefined;
  #steps = 0;

  constructor(clock: Clock, cancellation: Cancellation) {
    this.#clock = clock;
    this.#cancellation = cancellation;
    this.#stopListening = cancellation.onCancel((reason) => {
      this.#timer?.cancel();
      this.#refuse?.(new Cancelled(reason));
    });
  }

  /** Waits so long; not at all for 0. */
  async pause(delayMs: number): Promise<void> {
    this.#check();
    if (delayMs <= 0) return;
    this.#steps = 0;
    await this.#wait((done) => {
      this.#timer = this.#clock.setTimeout(done, delayMs);
    });
  }

  /** Waits until this time of the monotonic clock, so that many waits in a row do not drift. */
  until(dueMs: number): Promise<void> {
    return this.pause(dueMs - this.#clock.monotonic());
  }

  /** Waits until the reader has caught up. */
  async drained(sink: AttemptSink): Promise<void> {
    this.#steps = 0;
    await this.#wait((done) => sink.drained(done));
  }

  /** Ends only by cancellation. */
  forever(): Promise<never> {
    return this.#wait(() => {}) as Promise<never>;
  }

  /** To be awaited after each step of work that needs no wait by itself; `size` is how many small steps it was. */
  async step(size = 1): Promise<void> {
    this.#check();
    this.#steps += size;
    if (this.#steps < stepsPerTurn) return;
    this.#steps = 0;
    await this.#wait((done) => {
      this.#timer = this.#clock.setTimeout(done, 0);
    });
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#stopListening();
  }

  #check(): void {
    if (this.#cancellation.cancelled) throw new Cancelled(this.#cancellation.reason);
  }

  async #wait(arrange: (done: () => void) => void): Promise<void> {
    this.#check();
    await new Promise<void>((resolve, reject) => {
      this.#refuse = reject;
      arrange(resolve);
    });
    // The reader may have caught up in the very moment of a cancellation.
    this.#check();
  }
}

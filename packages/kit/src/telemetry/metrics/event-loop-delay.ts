import { createEventLoopMonitor, type Clock, type EventLoopMonitor, type Timer } from '../../time/index.ts';

const everyMs = 1_000;
/** Of one look: a process that was stopped for a day must not spend long on saying so. */
const maxObservations = 3_600;

/**
 * Observes once a second the turn of the event loop that a request found in it, on average; a turn that kept it from looking counts as many times
 * as it took seconds. A timer of JavaScript that measures its own lateness fifty times a second would take 7 ms of processor time a
 * second of an idle process (Node 26); libuv's, which is looked at here, takes 2.
 */
export class EventLoopDelay {
  readonly #clock: Clock;
  readonly #observe: (seconds: number) => void;
  readonly #monitor: EventLoopMonitor;
  readonly #timer: Timer;
  #lookedAt: number;

  constructor(clock: Clock, observe: (seconds: number) => void, monitor: EventLoopMonitor = createEventLoopMonitor()) {
    this.#clock = clock;
    this.#observe = observe;
    this.#monitor = monitor;
    this.#lookedAt = clock.monotonic();
    this.#timer = clock.setTimeout(() => this.#look(), everyMs);
  }

  close(): void {
    this.#timer.cancel();
    this.#monitor.close();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    const times = Math.min(maxObservations, Math.max(1, Math.round((now - this.#lookedAt) / everyMs)));
    this.#lookedAt = now;
    const seconds = this.#monitor.takeDelayMs() / 1_000;
    for (let time = 0; time < times; time++) this.#observe(seconds);
    this.#timer.refresh();
  }
}

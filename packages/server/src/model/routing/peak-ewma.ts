import type { Clock } from '@holdfast/kit/time';
import type { TrafficClock } from './traffic-clock.ts';

export interface PeakEwmaNumbers {
  /** Milliseconds of traffic in which what was seen loses all but 1/e of its weight. */
  readonly decayMs: number;
  /** By how much a failure is counted as longer than what is expected, in milliseconds. */
  readonly failurePenaltyMs: number;
  /** Beyond this, failures add nothing: each further one would only put off the next try. */
  readonly maxPenalizedMs: number;
}

/**
 * To be told of every try at a target: of `started`, and then once of one of the others. `startedAt` is the moment on the clock's
 * monotonic scale, the same in both.
 */
export interface LatencyObserver {
  started(startedAt: number): void;
  /** The first event of a stream, or a whole plain answer, is there. */
  answered(startedAt: number): void;
  /** The target failed. */
  failed(startedAt: number): void;
  /** It ended in a way that says nothing about the target, except that it had not answered by then. */
  dropped(startedAt: number): void;
}

/**
 * How long a target is expected to let a call wait: a moving average that goes up with the highest latency at once and
 * comes down over time, times the calls that wait for it already. Peak-EWMA, as in Finagle
 * (`com.twitter.finagle.loadbalancer.PeakEwma`) and linkerd, with one addition: the mean age of the waiting calls is a
 * lower bound, so that a target which has fallen silent is left before its first answer comes, or does not.
 */
export class PeakEwma implements LatencyObserver {
  readonly #numbers: PeakEwmaNumbers;
  readonly #clock: Clock;
  readonly #traffic: TrafficClock;
  /** Undefined until something was seen. */
  #latencyMs: number | undefined;
  /** On the traffic clock. */
  #seenAt = 0;
  #waiting = 0;
  /** Sum of the moments at which the waiting calls began: what their mean age takes, without a list of them. */
  #startedSum = 0;

  constructor(numbers: PeakEwmaNumbers, clock: Clock, traffic: TrafficClock) {
    this.#numbers = numbers;
    this.#clock = clock;
    this.#traffic = traffic;
  }

  /**
   * Compared between targets, lower is better; roughly milliseconds. A target of which nothing is known is better than
   * any while nobody waits for it, and worse than any known one while somebody does: it is tried, but not by a crowd.
   */
  load(): number {
    if (this.#latencyMs === undefined) return this.#waiting === 0 ? 0 : unknownLoad + this.#waiting;
    const ageMs = this.#waiting === 0 ? 0 : this.#clock.monotonic() - this.#startedSum / this.#waiting;
    return Math.max(this.#decayed(), ageMs) * (this.#waiting + 1);
  }

  started(startedAt: number): void {
    this.#waiting += 1;
    this.#startedSum += startedAt;
  }

  answered(startedAt: number): void {
    this.#see(this.#end(startedAt));
  }

  /** A refused connection takes no time at all: counted as it is, the target would look like the fastest. */
  failed(startedAt: number): void {
    const { failurePenaltyMs, maxPenalizedMs } = this.#numbers;
    const elapsedMs = this.#end(startedAt);
    const expectedMs = Math.max(elapsedMs, this.#decayed());
    this.#see(Math.max(elapsedMs, Math.min(expectedMs + failurePenaltyMs, maxPenalizedMs)));
  }

  dropped(startedAt: number): void {
    const elapsedMs = this.#end(startedAt);
    // It takes at least that long. A target whose calls are always given up on, or that loses each race, is known by nothing else.
    if (this.#latencyMs === undefined || elapsedMs > this.#decayed()) this.#see(elapsedMs);
  }

  #end(startedAt: number): number {
    this.#waiting -= 1;
    // From the beginning again, so that no error of rounding is left over.
    this.#startedSum = this.#waiting === 0 ? 0 : this.#startedSum - startedAt;
    return this.#clock.monotonic() - startedAt;
  }

  #see(latencyMs: number): void {
    const now = this.#traffic.read();
    const known = this.#latencyMs;
    if (known === undefined) this.#latencyMs = latencyMs;
    else {
      const kept = Math.exp(-(now - this.#seenAt) / this.#numbers.decayMs);
      this.#latencyMs = latencyMs > known * kept ? latencyMs : known * kept + latencyMs * (1 - kept);
    }
    this.#seenAt = now;
  }

  /** What it was when it was last seen counts for less and less: else a target that was slow once would never be asked again. */
  #decayed(): number {
    if (this.#latencyMs === undefined) return 0;
    return this.#latencyMs * Math.exp(-(this.#traffic.read() - this.#seenAt) / this.#numbers.decayMs);
  }
}

/** More than any known target can reach: a day in milliseconds, times a million waiting. */
const unknownLoad = 1e14;

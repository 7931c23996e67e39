/** What a window of calls has shown. */
export interface WindowSample {
  /** Mean duration of the calls that were answered, in milliseconds; undefined when none was. */
  readonly meanMs: number | undefined;
  /** Most calls that were under way together. */
  readonly maxInFlight: number;
  /** A call was turned away for overload, or ran into its limit of time. */
  readonly dropped: boolean;
}

/** Finds the number of calls that a target can take at the same time. */
export interface LimitAlgorithm {
  readonly limit: number;
  update(sample: WindowSample): void;
}

export interface LimitBounds {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
}

/** What is left of the limit after a drop; the ratio of Netflix's AIMDLimit. */
const dropFactor = 0.9;

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for
 * Congestion Avoidance in Computer Networks", 1989): one more when at least half the limit was used, a tenth less after a
 * drop. It does not look at durations, which makes it the one for models: theirs vary with the length of the answer.
 */
export class Aimd implements LimitAlgorithm {
  readonly #bounds: LimitBounds;
  limit: number;

  constructor(bounds: LimitBounds) {
    this.#bounds = bounds;
    this.limit = bounds.initialLimit;
  }

  update({ maxInFlight, dropped }: WindowSample): void {
    if (dropped) this.limit = clamp(this.limit * dropFactor, this.#bounds);
    else if (maxInFlight * 2 >= this.limit) this.limit = clamp(this.limit + 1, this.#bounds);
  }
}

const smoothing = 0.2;
const queueSize = 4;
const longWindow = 600;
const warmUpWindows = 10;

/**
 * Gradient2 of Netflix's concurrency-limits (github.com/Netflix/concurrency-limits, Gradient2Limit; "Performance Under
 * Load", Netflix Technology Blog, 2018), with its constants: the long-term mean of the durations over the present one,
 * between 0.5 and 1, tells how much of the limit is queue; a small queue is allowed, so that the limit can grow.
 * Ours in addition: a drop takes a tenth away, as AIMD does, since a target that refuses answers quickly.
 */
export class Gradient implements LimitAlgorithm {
  readonly #bounds: LimitBounds;
  #longMeanMs = 0;
  #windows = 0;
  limit: number;

  constructor(bounds: LimitBounds) {
    this.#bounds = bounds;
    this.limit = bounds.initialLimit;
  }

  update({ meanMs, maxInFlight, dropped }: WindowSample): void {
    if (dropped) {
      this.limit = clamp(this.limit * dropFactor, this.#bounds);
      return;
    }
    if (meanMs === undefined || meanMs <= 0) return;
    this.#learn(meanMs);
    // Traffic, not the target, keeps the number down: nothing was learnt about more.
    if (maxInFlight < this.limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, this.#longMeanMs / meanMs));
    const wanted = this.limit * gradient + queueSize;
    this.limit = clamp(this.limit * (1 - smoothing) + wanted * smoothing, this.#bounds);
  }

  /** A plain mean at first, then one that forgets exponentially; sooner when the present is far better than the past. */
  #learn(meanMs: number): void {
    this.#windows += 1;
    if (this.#windows <= warmUpWindows) this.#longMeanMs += (meanMs - this.#longMeanMs) / this.#windows;
    else this.#longMeanMs += (meanMs - this.#longMeanMs) * (2 / (longWindow + 1));
    if (this.#longMeanMs / meanMs > 2) this.#longMeanMs *= 0.9;
  }
}

function clamp(limit: number, { minLimit, maxLimit }: LimitBounds): number {
  return Math.max(minLimit, Math.min(maxLimit, limit));
}

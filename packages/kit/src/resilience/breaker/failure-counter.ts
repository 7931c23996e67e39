import { SlidingWindow } from '../sliding-window.ts';
import type { BreakerSettings } from './options.ts';

/** Decides when it is enough. */
export interface FailureCounter {
  recordSuccess(): void;
  /** Whether that was one too many. */
  recordFailure(): boolean;
  reset(): void;
  /** Failures in a row, or in the window. */
  readonly failures: number;
  /** Calls in the window; undefined in mode `consecutive`, which has none. */
  readonly calls: number | undefined;
}

export function createFailureCounter(settings: BreakerSettings): FailureCounter {
  return settings.mode === 'consecutive' ? new ConsecutiveCounter(settings.threshold) : new RatioCounter(settings);
}

class ConsecutiveCounter implements FailureCounter {
  readonly #threshold: number;
  readonly calls = undefined;
  failures = 0;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  recordSuccess(): void {
    this.failures = 0;
  }

  recordFailure(): boolean {
    this.failures += 1;
    return this.failures >= this.#threshold;
  }

  reset(): void {
    this.failures = 0;
  }
}

class RatioCounter implements FailureCounter {
  readonly #threshold: number;
  readonly #ratio: number;
  readonly #window: SlidingWindow;

  constructor({ threshold, ratio, windowMs, clock }: BreakerSettings) {
    this.#threshold = threshold;
    this.#ratio = ratio;
    this.#window = new SlidingWindow(windowMs, clock);
  }

  get failures(): number {
    return this.#window.totals()[1];
  }

  get calls(): number {
    return this.#window.totals()[0];
  }

  recordSuccess(): void {
    this.#window.add(1, 0);
  }

  recordFailure(): boolean {
    this.#window.add(1, 1);
    const [calls, failures] = this.#window.totals();
    return failures >= this.#threshold && failures >= this.#ratio * calls;
  }

  reset(): void {
    this.#window.clear();
  }
}

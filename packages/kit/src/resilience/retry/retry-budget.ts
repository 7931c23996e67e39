import { systemClock, type Clock } from '../../time/index.ts';
import { checkNumber } from '../check-options.ts';
import { SlidingWindow } from '../sliding-window.ts';

/**
 * Caps what retries add to the load of a target. An outage otherwise meets a multiple of the usual traffic, from those
 * who try each call four times, just when the target can bear it least.
 */
export interface RetryBudget {
  /** A call comes in; its retries are not calls. */
  recordCall(): void;
  /** Whether one more retry is within the budget; if so, it is taken from it. */
  tryTake(): boolean;
  /** What the window has seen so far. */
  status(): RetryBudgetStatus;
}

export interface RetryBudgetStatus {
  readonly calls: number;
  readonly retries: number;
  /** How many retries such a window may have. */
  readonly allowed: number;
}

export interface RetryBudgetOptions {
  /** Retries as a share of the window's calls. Default 20; Infinity for as many as there are. */
  readonly percent?: number;
  /** Retries that any window has, however few its calls. Default 3. */
  readonly minPerWindow?: number;
  /** Default 10,000. */
  readonly windowMs?: number;
  readonly clock?: Clock;
}

/** Share and minimum are those of Envoy's retry budget, the window that of Finagle's. */
export const retryBudgetDefaults = Object.freeze({ percent: 20, minPerWindow: 3, windowMs: 10_000 });

export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { clock = systemClock } = options;
  const percent = checkNumber('retry.budgetPercent', options.percent ?? retryBudgetDefaults.percent, { unlimited: true });
  const minPerWindow = checkNumber('retry.budgetMinPerWindow', options.minPerWindow ?? retryBudgetDefaults.minPerWindow);
  const windowMs = checkNumber('retry.budgetWindowMs', options.windowMs ?? retryBudgetDefaults.windowMs, { min: 10 });
  if (percent === Number.POSITIVE_INFINITY) return unlimitedBudget();
  return new WindowedBudget(percent / 100, minPerWindow, new SlidingWindow(windowMs, clock));
}

/**
 * Over any time T the retries granted are at most `share × calls + minPerWindow × (T ÷ window + 1)`: at each grant the
 * window that ends there holds it, and the windows that end at the last grant, at the last one before that window, and
 * so on do not overlap.
 */
class WindowedBudget implements RetryBudget {
  readonly #share: number;
  readonly #minPerWindow: number;
  readonly #window: SlidingWindow;

  constructor(share: number, minPerWindow: number, window: SlidingWindow) {
    this.#share = share;
    this.#minPerWindow = minPerWindow;
    this.#window = window;
  }

  recordCall(): void {
    this.#window.add(1, 0);
  }

  tryTake(): boolean {
    const { retries, allowed } = this.status();
    if (retries + 1 > allowed) return false;
    this.#window.add(0, 1);
    return true;
  }

  status(): RetryBudgetStatus {
    const [calls, retries] = this.#window.totals();
    return { calls, retries, allowed: Math.max(this.#minPerWindow, this.#share * calls) };
  }
}

function unlimitedBudget(): RetryBudget {
  const none = Object.freeze({ calls: 0, retries: 0, allowed: Number.POSITIVE_INFINITY });
  return { recordCall() {}, tryTake: () => true, status: () => none };
}

import { isHoldfastError } from '../../errors/index.ts';
import { systemClock, type Clock } from '../../time/index.ts';
import type { CallContext } from '../call-context.ts';
import { checkFunction, checkKeys, checkNumber, checkOneOf, withDefaults } from '../check-options.ts';
import { classifyFailure } from '../classify-failure.ts';
import { isDeadline } from '../deadline-error.ts';
import { concurrencyLimitChanged } from '../events.ts';
import type { FailureClassifier } from '../failure-cause.ts';
import { start, type Operation, type Policy } from '../policy.ts';
import { checkQueueMs, type ConcurrencyStatus } from './bulkhead.ts';
import { Aimd, Gradient, type LimitAlgorithm } from './limit-algorithm.ts';
import { Slots } from './slots.ts';

export interface AdaptiveNumbers {
  /** `gradient`: by how much slower answers get. `aimd`: by refusals and time-outs alone, for targets whose answers differ in length. Default `gradient`. */
  readonly algorithm: 'gradient' | 'aimd';
  /** Default 20. */
  readonly initialLimit: number;
  /** Default 1. */
  readonly minLimit: number;
  /** Default 200. */
  readonly maxLimit: number;
  /** The limit is looked at after so many milliseconds … Default 1,000. */
  readonly windowMs: number;
  /** … and so many calls. Default 10. */
  readonly minSamples: number;
  /** As of the bulkhead. Default 100. */
  readonly maxQueued: number;
  /** As of the bulkhead. Default Infinity. */
  readonly maxQueueMs: number;
}

export interface AdaptiveOptions extends Partial<AdaptiveNumbers> {
  /** For announcements and errors. Default `default`. */
  readonly name?: string;
  /** Default `classifyFailure`. */
  readonly classify?: FailureClassifier;
  readonly clock?: Clock;
}

export const adaptiveDefaults: AdaptiveNumbers = Object.freeze({
  algorithm: 'gradient',
  initialLimit: 20,
  minLimit: 1,
  maxLimit: 200,
  windowMs: 1_000,
  minSamples: 10,
  maxQueued: 100,
  maxQueueMs: Number.POSITIVE_INFINITY,
});

/** A bulkhead that finds its own number. */
export interface AdaptiveConcurrency {
  readonly name: string;
  /** Refuses with `concurrency_limited`. */
  readonly policy: Policy;
  status(): ConcurrencyStatus;
}

export function createAdaptiveConcurrency(options: AdaptiveOptions = {}): AdaptiveConcurrency {
  checkKeys('adaptive', options, [...Object.keys(adaptiveDefaults), 'name', 'classify', 'clock']);
  const { name = 'default', clock = systemClock, classify = classifyFailure } = options;
  const numbers = withDefaults(adaptiveDefaults, options);
  const minLimit = checkNumber('adaptive.minLimit', numbers.minLimit, { min: 1 });
  const maxLimit = checkNumber('adaptive.maxLimit', numbers.maxLimit, { min: minLimit });
  const initialLimit = checkNumber('adaptive.initialLimit', numbers.initialLimit, { min: minLimit, max: maxLimit });
  const bounds = { initialLimit, minLimit, maxLimit };
  const algorithm =
    checkOneOf('adaptive.algorithm', numbers.algorithm, ['gradient', 'aimd']) === 'gradient' ? new Gradient(bounds) : new Aimd(bounds);
  const slots = new Slots(Math.floor(initialLimit), {
    name,
    policy: 'adaptive',
    clock,
    maxQueued: checkNumber('adaptive.maxQueued', numbers.maxQueued, { whole: true, unlimited: true }),
    maxQueueMs: checkQueueMs('adaptive.maxQueueMs', numbers.maxQueueMs),
  });
  const window = new Window(slots, algorithm, {
    name,
    clock,
    classify: checkFunction('adaptive.classify', classify),
    windowMs: checkNumber('adaptive.windowMs', numbers.windowMs, { min: 1 }),
    minSamples: checkNumber('adaptive.minSamples', numbers.minSamples, { min: 1, whole: true }),
  });
  return {
    name,
    policy: (next) => {
      const measured = window.measure(next);
      return (context) => slots.run(measured, context);
    },
    status: () => ({ limit: slots.limit, inUse: slots.inUse, queued: slots.queued }),
  };
}

interface WindowOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly classify: FailureClassifier;
  readonly windowMs: number;
  readonly minSamples: number;
}

/** Gathers what calls show and hands it to the algorithm, window by window, without a timer: a window ends with a call. */
class Window {
  readonly #slots: Slots;
  readonly #algorithm: LimitAlgorithm;
  readonly #options: WindowOptions;
  #startedAt: number;
  #samples = 0;
  #answered = 0;
  #totalMs = 0;
  #maxInFlight = 0;
  #dropped = false;

  constructor(slots: Slots, algorithm: LimitAlgorithm, options: WindowOptions) {
    this.#slots = slots;
    this.#algorithm = algorithm;
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  measure<T>(next: Operation<T>): Operation<T> {
    const { clock } = this.#options;
    return (context) => {
      const startedAt = clock.monotonic();
      if (this.#slots.inUse > this.#maxInFlight) this.#maxInFlight = this.#slots.inUse;
      return start(next, context).then(
        (value) => {
          const now = clock.monotonic();
          this.#answered += 1;
          this.#totalMs += now - startedAt;
          this.#count(now);
          return value;
        },
        (error: unknown) => {
          if (this.#isDrop(error, context)) {
            this.#dropped = true;
            this.#count(clock.monotonic());
          }
          throw error;
        },
      );
    };
  }

  /** Overload shows as a refusal (429, 503, 529) or as time that ran out; other failures say nothing about load. */
  #isDrop(error: unknown, { cancellation }: CallContext): boolean {
    if (cancellation.cancelled) return isDeadline(cancellation.reason);
    const cause = this.#options.classify(error);
    if (cause === 'throttled' || cause === 'slow') return true;
    if (isHoldfastError(error)) return error.category === 'timeout' ? cause !== 'cancelled' : error.code === 'provider_overloaded';
    const { status } = (typeof error === 'object' && error !== null ? error : {}) as { status?: unknown };
    return status === 503 || status === 529;
  }

  #count(now: number): void {
    const { name, windowMs, minSamples } = this.#options;
    this.#samples += 1;
    if (this.#samples < minSamples || now - this.#startedAt < windowMs) return;
    this.#algorithm.update({
      meanMs: this.#answered === 0 ? undefined : this.#totalMs / this.#answered,
      maxInFlight: this.#maxInFlight,
      dropped: this.#dropped,
    });
    this.#startedAt = now;
    this.#samples = 0;
    this.#answered = 0;
    this.#totalMs = 0;
    this.#maxInFlight = 0;
    this.#dropped = false;
    const from = this.#slots.limit;
    const to = Math.floor(this.#algorithm.limit);
    if (to === from) return;
    this.#slots.setLimit(to);
    if (concurrencyLimitChanged.hasSubscribers) concurrencyLimitChanged.publish({ name, from, to });
  }
}

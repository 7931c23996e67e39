import { HoldfastError } from '../../errors/index.ts';
import type { Clock, Timer } from '../../time/index.ts';
import type { CallContext } from '../call-context.ts';
import { deadlineExceeded } from '../deadline-error.ts';
import { callRejected, type CallRejected } from '../events.ts';
import { start, type Operation } from '../policy.ts';
import { maxTimerMs } from '../timeout.ts';

export interface SlotsOptions {
  readonly name: string;
  readonly policy: 'bulkhead' | 'adaptive';
  readonly maxQueued: number;
  readonly maxQueueMs: number;
  readonly clock: Clock;
}

/** A number of slots, and a bounded queue before them, first come, first served. */
export class Slots {
  readonly #options: SlotsOptions;
  /** The first who waits, and the last. */
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #queued = 0;
  #inUse = 0;
  #limit: number;

  constructor(limit: number, options: SlotsOptions) {
    this.#limit = limit;
    this.#options = options;
  }

  get limit(): number {
    return this.#limit;
  }
  get inUse(): number {
    return this.#inUse;
  }
  get queued(): number {
    return this.#queued;
  }

  /** A lower limit takes no slot from anybody: it holds for those who come. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  run<T>(next: Operation<T>, context: CallContext): Promise<T> {
    if (this.#inUse < this.#limit) {
      this.#inUse += 1;
      return this.#runInSlot(next, context);
    }
    return this.#wait(context).then(() => this.#runInSlot(next, context));
  }

  #runInSlot<T>(next: Operation<T>, context: CallContext): Promise<T> {
    if (context.cancellation.cancelled) {
      this.#release();
      return Promise.reject(context.cancellation.reason);
    }
    return start(next, context).then(
      (value) => {
        this.#release();
        return value;
      },
      (error: unknown) => {
        this.#release();
        throw error;
      },
    );
  }

  #release(): void {
    this.#inUse -= 1;
    this.#admit();
  }

  #admit(): void {
    while (this.#first && this.#inUse < this.#limit) {
      const waiter = this.#first;
      this.#remove(waiter);
      this.#inUse += 1;
      waiter.admit();
    }
  }

  #wait(context: CallContext): Promise<void> {
    const { name, maxQueued, maxQueueMs, clock } = this.#options;
    if (context.cancellation.cancelled) return Promise.reject(context.cancellation.reason);
    // The second request of a hedge is worth a free slot, never a wait: it would add to the queue that made the first slow,
    // and might leave it after the first was told to wait.
    if (this.#queued >= maxQueued || context.branch > 0) return Promise.reject(this.#refusal('queue_full'));
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(context, resolve);
      this.#append(waiter);
      const leave = (reason: unknown) => {
        this.#remove(waiter);
        waiter.end();
        reject(reason);
      };
      const restMs = context.deadlineAt - clock.monotonic();
      const waitMs = Math.min(maxQueueMs, Math.max(0, restMs), maxTimerMs);
      if (maxQueueMs !== Number.POSITIVE_INFINITY || restMs !== Number.POSITIVE_INFINITY) {
        const reason = () => (restMs <= waitMs ? deadlineExceeded(name, restMs) : this.#refusal('queue_timeout'));
        waiter.timer = clock.setTimeout(() => leave(reason()), waitMs, true);
      }
      waiter.unlink = context.cancellation.onCancel(leave);
    });
  }

  #refusal(reason: CallRejected['reason']): HoldfastError {
    const { name, policy } = this.#options;
    if (callRejected.hasSubscribers) callRejected.publish({ name, policy, reason });
    const detail = `${name}: ${this.#inUse} calls under way (limit ${this.#limit}), ${this.#queued} waiting: ${reason}`;
    return new HoldfastError('concurrency_limited', { detail, retryAfterSeconds: 1 });
  }

  #append(waiter: Waiter): void {
    this.#queued += 1;
    waiter.before = this.#last;
    if (this.#last) this.#last.after = waiter;
    else this.#first = waiter;
    this.#last = waiter;
  }

  #remove(waiter: Waiter): void {
    this.#queued -= 1;
    if (waiter.before) waiter.before.after = waiter.after;
    else this.#first = waiter.after;
    if (waiter.after) waiter.after.before = waiter.before;
    else this.#last = waiter.before;
  }
}

/** A link of the queue: who gives up in the middle of a long one is taken out at once. */
class Waiter {
  before: Waiter | undefined;
  after: Waiter | undefined;
  timer: Timer | undefined;
  unlink: (() => void) | undefined;
  readonly #context: CallContext;
  readonly #resolve: () => void;

  constructor(context: CallContext, resolve: () => void) {
    this.#context = context;
    this.#resolve = resolve;
    context.queued = true;
  }

  admit(): void {
    this.end();
    this.#context.queued = false;
    this.#resolve();
  }

  /** Who leaves without a slot stays marked as queued: whoever asks why the call ended sees that the target was not reached. */
  end(): void {
    this.timer?.cancel();
    this.unlink?.();
  }
}

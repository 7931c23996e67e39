import { Cancellation, type Clock, type Timer } from '../time/index.ts';
import type { CallContext } from './call-context.ts';
import { start, type Operation } from './policy.ts';

/** A limit on time: after `delayMs` the scope is cancelled with what `reason` makes. */
export interface ScopeLimit {
  readonly clock: Clock;
  readonly delayMs: number;
  readonly deadlineAt: number;
  readonly reason: () => unknown;
}

/**
 * Runs `next` under a cancellation of its own, below the caller's, and settles as soon as that is cancelled, whether
 * `next` heeds it or not. By then timer and subscriptions are gone.
 */
export function runInScope<T>(next: Operation<T>, parent: CallContext, limit: ScopeLimit): Promise<T> {
  if (parent.cancellation.cancelled) return Promise.reject(parent.cancellation.reason);
  return new Promise<T>((resolve, reject) => new Scope(next, parent, limit, resolve, reject));
}

/** An object a call, with methods where closures would be: half of a policy's cost is what it allocates. */
class Scope<T> {
  readonly #cancellation = new Cancellation();
  readonly #unlink: () => void;
  readonly #timer: Timer;
  readonly #reject: (reason: unknown) => void;
  #open = true;

  constructor(next: Operation<T>, parent: CallContext, limit: ScopeLimit, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.#reject = reject;
    this.#unlink = parent.cancellation.onCancel((reason) => this.#cancel(reason));
    this.#timer = limit.clock.setTimeout(() => this.#cancel(limit.reason()), limit.delayMs, true);
    start(next, parent.withCancellation(this.#cancellation, limit.deadlineAt)).then(
      (value) => {
        if (this.#release()) resolve(value);
      },
      (error: unknown) => {
        if (this.#release()) reject(error);
      },
    );
  }

  #cancel(reason: unknown): void {
    if (!this.#release()) return;
    this.#reject(reason);
    this.#cancellation.cancel(reason);
  }

  #release(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#timer.cancel();
    this.#unlink();
    return true;
  }
}

/** Settles when `work` does or the cancellation comes, whichever is first: nobody waits for work that does not listen. */
export function untilCancelled<T>(work: PromiseLike<T>, cancellation: Cancellation): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const unlink = cancellation.onCancel(reject);
    work.then(
      (value) => {
        unlink();
        resolve(value);
      },
      (error: unknown) => {
        unlink();
        reject(error);
      },
    );
  });
}

import { Cancellation, type Clock, type Timer } from '../time/index.ts';
import type { CallContext } from './call-context.ts';
import { nobody } from './nobody.ts';
import { start, type Operation } from './policy.ts';

/** Whose limit it is: says what a scope ends with when its time is over. */
export interface ScopeOwner {
  readonly clock: Clock;
  expired(limitMs: number): unknown;
}

/**
 * Runs `next` under a cancellation of its own, below the caller's, for at most `limitMs`; settles as soon as it is
 * cancelled, whether `next` heeds it or not. By then timer and subscriptions are gone.
 */
export function runInScope<T>(next: Operation<T>, parent: CallContext, owner: ScopeOwner, limitMs: number, deadlineAt: number): Promise<T> {
  if (parent.cancellation.cancelled) return Promise.reject(parent.cancellation.reason);
  return new Promise<T>((resolve, reject) => new Scope<T>(owner, limitMs, resolve, reject).run(next, parent, deadlineAt));
}

/** An object a call, with methods where closures would be: half of a policy's cost is what it allocates. */
class Scope<T> {
  readonly #owner: ScopeOwner;
  readonly #limitMs: number;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #cancellation = new Cancellation();
  readonly #timer: Timer;
  #unlink: (() => void) | undefined = undefined;
  #open = true;

  constructor(owner: ScopeOwner, limitMs: number, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.#owner = owner;
    this.#limitMs = limitMs;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = owner.clock.setTimeout(() => this.#expire(), limitMs, true);
  }

  run(next: Operation<T>, parent: CallContext, deadlineAt: number): void {
    if (parent.cancellation !== nobody) this.#unlink = parent.cancellation.onCancel((reason) => this.#cancel(reason));
    start(next, parent.withCancellation(this.#cancellation, deadlineAt)).then(
      (value) => {
        if (this.#release()) this.#resolve(value);
      },
      (error: unknown) => {
        if (this.#release()) this.#reject(error);
      },
    );
  }

  #expire(): void {
    if (this.#open) this.#cancel(this.#owner.expired(this.#limitMs));
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
    this.#unlink?.();
    return true;
  }
}

/** Settles when `work` does or the cancellation comes, whichever is first: nobody waits for work that does not listen. */
export function untilCancelled<T>(work: Promise<T>, cancellation: Cancellation): Promise<T> {
  if (cancellation === nobody) return work;
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

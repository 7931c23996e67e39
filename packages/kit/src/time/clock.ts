/** A timer that was set. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
  /** Starts the same wait again from now, without allocating. MUST NOT be called after `cancel`. */
  refresh(): void;
}

/** All that Holdfast knows of time. Passed in, so that no test sleeps to see time pass. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds from an arbitrary start, with fractions; never goes back. For durations. */
  monotonic(): number;
  /**
   * Calls once after `delayMs`. Keeps the process alive only when `keepsAlive` says so: for a wait that somebody waits
   * for, since a program whose last work is a back-off would otherwise end in the middle of it.
   */
  setTimeout(callback: () => void, delayMs: number, keepsAlive?: boolean): Timer;
}

/** A class, since there are several timers a call: two closures each would double what they allocate. */
class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(callback: () => void, delayMs: number, keepsAlive: boolean) {
    this.#handle = setTimeout(callback, delayMs);
    if (!keepsAlive) this.#handle.unref();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  refresh(): void {
    this.#handle.refresh();
  }
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback: () => void, delayMs: number, keepsAlive = false): Timer => new SystemTimer(callback, delayMs, keepsAlive),
});

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted before. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal!.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

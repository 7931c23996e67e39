import type { Cancellation, Clock } from '../time/index.ts';

/**
 * Resolves when at least `delayMs` have passed, rejects with the reason when it is cancelled before. Keeps the process
 * alive: somebody waits for the call. Timers may fire up to a millisecond early, and the wait may be one that a server
 * asked for, so it looks again.
 */
export function pause(clock: Clock, delayMs: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    if (cancellation.cancelled) return reject(cancellation.reason);
    // A timer of 0 ms takes one.
    if (delayMs <= 0) return resolve();
    const until = clock.monotonic() + delayMs;
    const look = () => {
      const restMs = until - clock.monotonic();
      if (restMs > 0) {
        timer = clock.setTimeout(look, Math.max(1, restMs), true);
      } else {
        unlink();
        resolve();
      }
    };
    let timer = clock.setTimeout(look, delayMs, true);
    const unlink = cancellation.onCancel((reason) => {
      timer.cancel();
      reject(reason);
    });
  });
}

import { sleep, type Clock } from '@holdfast/kit/time';

const pollIntervalMs = 4;

/**
 * Looks every few milliseconds; true as soon as `condition` is, false after `timeoutMs`. Keeps the process alive meanwhile,
 * which the timers of the clock do not: a start that waits for a process that is not its child has nothing else that would.
 */
export async function waitUntil(condition: () => boolean, clock: Clock, timeoutMs: number): Promise<boolean> {
  const { port1 } = new MessageChannel();
  port1.ref();
  try {
    const end = clock.monotonic() + timeoutMs;
    while (!condition()) {
      if (clock.monotonic() >= end) return false;
      await sleep(clock, pollIntervalMs);
    }
    return true;
  } finally {
    port1.close();
  }
}

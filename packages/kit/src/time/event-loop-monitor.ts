import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop of this thread is. */
export interface EventLoopMonitor {
  /**
   * Mean delay of what was due since the last call, in milliseconds; 0 when nothing was due. A loop that is blocked once among many
   * quick turns has a small mean; one whose every turn is long has that length as its mean, which is what tells a backlog from a hiccup.
   */
  takeMeanDelayMs(): number;
  close(): void;
}

/** Measured by a timer of libuv's own that falls due each `resolutionMs` and runs no JavaScript. It does not keep the process alive. */
export function createEventLoopMonitor(resolutionMs = 20): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let takenAt = performance.now();
  return {
    takeMeanDelayMs() {
      const now = performance.now();
      const elapsedMs = now - takenAt;
      takenAt = now;
      // What is recorded is the time between two firings, the resolution included, and none before the second. Where there was time for
      // more, one turn took all of it: without this a loop of very long turns would look like one that has nothing to do.
      const betweenMs = histogram.count > 0 ? histogram.mean / 1e6 : elapsedMs > 2 * resolutionMs ? elapsedMs : 0;
      histogram.reset();
      return Math.max(0, betweenMs - resolutionMs);
    },
    close: () => void histogram.disable(),
  };
}

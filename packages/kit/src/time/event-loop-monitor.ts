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
  return {
    takeMeanDelayMs() {
      // What is recorded is the time between two firings, the resolution included.
      const delayMs = histogram.count === 0 ? 0 : Math.max(0, histogram.mean / 1e6 - resolutionMs);
      histogram.reset();
      return delayMs;
    },
    close: () => void histogram.disable(),
  };
}

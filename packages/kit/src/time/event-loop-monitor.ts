import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop of this thread is. */
export interface EventLoopMonitor {
  /**
   * The turn of the loop that somebody finds who comes at a random moment since the last call, on average, in milliseconds: long turns count
   * by their length (Σd² ÷ Σd), since it is they that most of those who come have to wait for. By the plain mean a loop that stands still for two
   * seconds and then turns a hundred times in one looks idle. 0 for a loop that is never late.
   */
  takeDelayMs(): number;
  close(): void;
}

/** Measured by a timer of libuv's own that falls due each `resolutionMs` and runs no JavaScript. It does not keep the process alive. */
export function createEventLoopMonitor(resolutionMs = 20): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let takenAt = performance.now();
  let before = { count: 0, sum: 0, squares: 0 };
  return {
    takeDelayMs() {
      const now = performance.now();
      const elapsedMs = now - takenAt;
      takenAt = now;
      // Differences of what has been recorded since the start: after a reset Node records nothing before the second firing, which in a loop
      // of long turns is the turn that counts.
      const { count } = histogram;
      const mean = count === 0 ? 0 : histogram.mean / 1e6;
      const deviation = count === 0 ? 0 : histogram.stddev / 1e6;
      const after = { count, sum: mean * count, squares: (mean * mean + deviation * deviation) * count };
      const sum = after.sum - before.sum;
      const squares = after.squares - before.squares;
      const fired = count > before.count;
      before = after;
      // Not once in all that time: one turn took all of it.
      if (!fired) return elapsedMs > 2 * resolutionMs ? elapsedMs : 0;
      // What is recorded is the time between two firings, the resolution included.
      return Math.max(0, squares / sum - resolutionMs);
    },
    close: () => void histogram.disable(),
  };
}

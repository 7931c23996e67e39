/** The latest latencies, and a percentile of them that is brought up to date every so many samples. */
export class LatencyWindow {
  readonly #samples: Float64Array;
  readonly #percentile: number;
  readonly #minSamples: number;
  #count = 0;
  #next = 0;
  #stale = 0;
  #value: number | undefined;

  constructor(size: number, percentile: number, minSamples: number) {
    this.#samples = new Float64Array(size);
    this.#percentile = percentile;
    this.#minSamples = minSamples;
  }

  record(latencyMs: number): void {
    this.#samples[this.#next] = latencyMs;
    this.#next = (this.#next + 1) % this.#samples.length;
    if (this.#count < this.#samples.length) this.#count += 1;
    this.#stale += 1;
  }

  /** By nearest rank; undefined while too few were seen. Sorting at every sample would cost more than the call's other policies together. */
  get value(): number | undefined {
    if (this.#count < this.#minSamples) return undefined;
    if (this.#value === undefined || this.#stale >= this.#samples.length / 8) {
      const sorted = this.#samples.slice(0, this.#count).sort();
      this.#value = sorted[Math.max(0, Math.ceil((this.#percentile / 100) * this.#count) - 1)]!;
      this.#stale = 0;
    }
    return this.#value;
  }
}

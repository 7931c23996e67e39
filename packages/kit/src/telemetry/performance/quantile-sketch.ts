/** The greatest relative error of a quantile, unless a sketch is made with another. */
export const defaultRelativeError = 0.01;

/** What is smaller counts as 0; what is greater counts as this. In milliseconds: a nanosecond, and 31 years. */
const smallest = 1e-6;
const greatest = 1e12;

/** A sketch as JSON: small, since only buckets that hold something are written. */
export interface SketchRecord {
  /** Relative error. */
  readonly a: number;
  /** Values that count as 0. */
  readonly z: number;
  /** Sum, least and greatest value, as they came. */
  readonly s: number;
  readonly n: number;
  readonly x: number;
  /** Pairs: how many buckets further (from bucket 0 the first time), and how many values are in it. */
  readonly b: readonly number[];
}

/**
 * Quantiles of a stream of numbers without keeping them. For every q, `quantile(q)` differs from the value of rank ⌊q·(count−1)⌋ of the
 * sorted stream by at most `relativeError` of that value, whatever the distribution and the order; values below 10⁻⁶ by at most 10⁻⁶.
 * Sketches of the same error merge without loss, in any order: the merge is the sketch of both streams.
 *
 * Buckets that grow by γ = (1 + α) / (1 − α): value v lies in bucket ⌈log_γ v⌉, whose middle 2γ^i / (γ + 1) is within α of everything in
 * it. C. Masson, J. E. Rim, H. K. Lee: DDSketch, PVLDB 12(12), 2019, §2. Theirs collapses the lowest buckets when there are too many; here
 * the range of values is bounded instead (2,073 buckets of 8 bytes at 1 %), so that the promise holds for all of it. A t-digest has no
 * such promise, and an HDR histogram of the same error is larger.
 */
export class QuantileSketch {
  readonly relativeError: number;
  readonly #perLog: number;
  #counts = new Float64Array(0);
  /** Of which bucket `#counts[0]` is. */
  #first = 0;
  #count = 0;
  #zeros = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** Throws a RangeError unless 0 < `relativeError` < 1. */
  constructor(relativeError: number = defaultRelativeError) {
    if (!(relativeError > 0 && relativeError < 1)) throw new RangeError(`a relative error lies between 0 and 1, not at ${relativeError}`);
    this.relativeError = relativeError;
    this.#perLog = 1 / Math.log((1 + relativeError) / (1 - relativeError));
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** 0 when there is no value, as `max`. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get max(): number {
    return this.#count === 0 ? 0 : this.#max;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Negative values count as 0; what is no number is left out. */
  add(value: number): void {
    if (!(value >= smallest)) {
      if (Number.isNaN(value)) return;
      value = Math.max(0, value);
      this.#zeros++;
    } else {
      if (value > greatest) value = greatest;
      const bucket = Math.ceil(Math.log(value) * this.#perLog);
      const at = bucket - this.#first;
      if (at >= 0 && at < this.#counts.length) this.#counts[at]!++;
      else this.#grow(bucket)[bucket - this.#first]!++;
    }
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** The value of rank ⌊q·(count−1)⌋, within the relative error; 0 when there is none. `q` from 0 to 1. */
  quantile(q: number): number {
    if (this.#count === 0) return 0;
    const rank = Math.floor(Math.min(1, Math.max(0, q)) * (this.#count - 1));
    let seen = this.#zeros;
    if (rank < seen) return this.#within(0);
    for (let at = 0; at < this.#counts.length; at++) {
      seen += this.#counts[at]!;
      if (rank < seen) return this.#within(this.#middle(this.#first + at));
    }
    return this.max;
  }

  /** Throws a RangeError when the other has another error: their buckets are not the same. */
  merge(other: QuantileSketch): void {
    if (other.relativeError !== this.relativeError)
      throw new RangeError(`a sketch of error ${other.relativeError} cannot be merged into one of ${this.relativeError}`);
    for (let at = 0; at < other.#counts.length; at++) {
      const count = other.#counts[at]!;
      if (count > 0) this.#addTo(other.#first + at, count);
    }
    this.#addSums(other.#count, other.#zeros, other.#sum, other.#min, other.#max);
  }

  /** As `merge`, of what `toRecord` made. */
  mergeRecord(record: SketchRecord): void {
    if (record.a !== this.relativeError)
      throw new RangeError(`a sketch of error ${record.a} cannot be merged into one of ${this.relativeError}`);
    let bucket = 0;
    let count = record.z;
    for (let at = 0; at + 1 < record.b.length; at += 2) {
      bucket += record.b[at]!;
      this.#addTo(bucket, record.b[at + 1]!);
      count += record.b[at + 1]!;
    }
    if (count > 0) this.#addSums(count, record.z, record.s, record.n, record.x);
  }

  /** As `mergeRecord` of a sketch of any error: quantiles are then within both errors together. */
  absorbRecord(record: SketchRecord): void {
    const gamma = (1 + record.a) / (1 - record.a);
    const perLog = 1 / Math.log(gamma);
    let bucket = 0;
    let count = record.z;
    for (let at = 0; at + 1 < record.b.length; at += 2) {
      bucket += record.b[at]!;
      const middle = Math.min(record.x, Math.max(record.n, (2 * Math.exp(bucket / perLog)) / (gamma + 1)));
      this.#addTo(Math.ceil(Math.log(middle) * this.#perLog), record.b[at + 1]!);
      count += record.b[at + 1]!;
    }
    if (count > 0) this.#addSums(count, record.z, record.s, record.n, record.x);
  }

  toRecord(): SketchRecord {
    const b: number[] = [];
    let last = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count === 0) continue;
      const bucket = this.#first + at;
      b.push(bucket - last, count);
      last = bucket;
    }
    // Seven digits: enough for what is shown, and half the text.
    return { a: this.relativeError, z: this.#zeros, s: short(this.#sum), n: short(this.min), x: short(this.max), b };
  }

  #addSums(count: number, zeros: number, sum: number, min: number, max: number): void {
    this.#count += count;
    this.#zeros += zeros;
    this.#sum += sum;
    if (min < this.#min) this.#min = min;
    if (max > this.#max) this.#max = max;
  }

  #addTo(bucket: number, count: number): void {
    const at = bucket - this.#first;
    if (at >= 0 && at < this.#counts.length) this.#counts[at]! += count;
    else this.#grow(bucket)[bucket - this.#first]! += count;
  }

  /** Latencies of one thing lie within a few hundred buckets: the array covers those, with room on both sides. */
  #grow(bucket: number): Float64Array {
    const room = 16;
    const old = this.#counts;
    const first = old.length === 0 ? bucket - room : Math.min(this.#first, bucket - room);
    const end = old.length === 0 ? bucket + room : Math.max(this.#first + old.length, bucket + room);
    const counts = new Float64Array(end - first);
    counts.set(old, old.length === 0 ? 0 : this.#first - first);
    this.#first = first;
    this.#counts = counts;
    return counts;
  }

  #middle(bucket: number): number {
    const gamma = (1 + this.relativeError) / (1 - this.relativeError);
    return (2 * Math.exp(bucket / this.#perLog)) / (gamma + 1);
  }

  /** The true value lies between the least and the greatest: so does what is said of it. */
  #within(value: number): number {
    return Math.min(this.#max, Math.max(this.#min, value));
  }
}

function short(value: number): number {
  return Number(value.toPrecision(7));
}

import { QuantileSketch, type SketchRecord } from './quantile-sketch.ts';

/** Values in one slot, and how many slots there are: an hour in half minutes. */
const slotMs = 30_000;
const slots = 121;
/** Twice that of the tracker, for half the memory: nobody is woken for one percent. */
const relativeError = 0.02;

interface Slot {
  number: number;
  failures: number;
  sketch: QuantileSketch;
}

/**
 * Quantiles, count and failures of the last minutes, up to an hour, to the half minute: the window that is asked for, and the part of the slot before that
 * it begins in. Adding costs some 0.4 µs, the look at the clock included. A slot without a value costs nothing.
 */
export class RollingSketch {
  readonly #slots: (Slot | undefined)[] = [];

  /** `nowMs`: of a monotonic clock. */
  add(value: number, failed: boolean, nowMs: number): void {
    const slot = this.#slotAt(nowMs);
    slot.sketch.add(value);
    if (failed) slot.failures++;
  }

  /** What a process before this one saw at that time, which may be before the clock's beginning and at most an hour ago. */
  addRecord(record: SketchRecord, failures: number, atMs: number): void {
    const slot = this.#slotAt(atMs);
    slot.sketch.absorbRecord(record);
    slot.failures += failures;
  }

  read(windowMs: number, nowMs: number): { readonly sketch: QuantileSketch; readonly failures: number } {
    const sketch = new QuantileSketch(relativeError);
    const last = Math.floor(nowMs / slotMs);
    const first = Math.floor((nowMs - windowMs) / slotMs);
    let failures = 0;
    for (const slot of this.#slots) {
      if (slot === undefined || slot.number < first || slot.number > last) continue;
      sketch.merge(slot.sketch);
      failures += slot.failures;
    }
    return { sketch, failures };
  }

  #slotAt(nowMs: number): Slot {
    const number = Math.floor(nowMs / slotMs);
    const at = ((number % slots) + slots) % slots;
    let slot = this.#slots[at];
    if (slot?.number !== number) this.#slots[at] = slot = { number, failures: 0, sketch: new QuantileSketch(relativeError) };
    return slot;
  }
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QuantileSketch } from './quantile-sketch.ts';

const quantiles = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
const values = fc.array(
  fc.oneof(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), fc.double({ min: 0.01, max: 60_000, noNaN: true }), fc.constant(0)),
  { minLength: 1, maxLength: 400 },
);
const errors = fc.constantFrom(0.001, 0.01, 0.05, 0.2);

function sketchOf(all: readonly number[], relativeError?: number): QuantileSketch {
  const sketch = new QuantileSketch(relativeError);
  for (const value of all) sketch.add(value);
  return sketch;
}

/** What rounding of floating point may add at the edge of a bucket. */
const rounding = 1e-9;

describe('a sketch of quantiles', () => {
  test('is never further from the value of a rank than its relative error, whatever the values and their order', () => {
    fc.assert(
      fc.property(values, errors, (all, relativeError) => {
        const sketch = sketchOf(all, relativeError);
        const sorted = Float64Array.from(all).sort();
        for (const q of quantiles) {
          const exact = sorted[Math.floor(q * (sorted.length - 1))]!;
          expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(exact * relativeError * (1 + rounding));
        }
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  test('says the same of two streams as of their merge, in any order and by way of JSON', () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const whole = sketchOf([...left, ...right]);
        const merged = sketchOf(right);
        merged.merge(sketchOf(left));
        const stored = new QuantileSketch();
        for (const part of [left, right]) stored.mergeRecord(JSON.parse(JSON.stringify(sketchOf(part).toRecord())));
        for (const sketch of [merged, stored]) {
          expect(sketch.count).toBe(whole.count);
          for (const q of [0.01, 0.5, 0.95, 0.99]) {
            const expected = whole.quantile(q);
            expect(Math.abs(sketch.quantile(q) - expected)).toBeLessThanOrEqual(1e-6 * expected);
          }
          expect(Math.abs(sketch.sum - whole.sum)).toBeLessThanOrEqual(1e-6 * whole.sum);
        }
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  test('counts what is out of its range at the edge of it, and leaves out what is no number', () => {
    const sketch = sketchOf([-5, Number.NaN, 1e-9, 1e15, Number.POSITIVE_INFINITY]);

    expect(sketch.count).toBe(4);
    expect(sketch.quantile(0)).toBeLessThanOrEqual(1e-6);
    expect(sketch.max).toBe(1e12);
  });

  test('has no value for every question while it is empty, also after a merge with an empty one', () => {
    const sketch = new QuantileSketch();
    sketch.merge(new QuantileSketch());
    sketch.mergeRecord(new QuantileSketch().toRecord());

    expect([sketch.count, sketch.quantile(0.5), sketch.min, sketch.max, sketch.mean]).toStrictEqual([0, 0, 0, 0, 0]);
    sketch.add(3);
    expect([sketch.min, sketch.max]).toStrictEqual([3, 3]);
  });

  test('refuses another with other buckets, and an error that is none', () => {
    expect(() => new QuantileSketch(0.01).merge(new QuantileSketch(0.02))).toThrow(RangeError);
    expect(() => new QuantileSketch(0.01).mergeRecord(new QuantileSketch(0.02).toRecord())).toThrow(RangeError);
    for (const bad of [0, 1, -1, Number.NaN]) expect(() => new QuantileSketch(bad)).toThrow(RangeError);
  });

  test('keeps its memory and its record small under values of every size', () => {
    const sketch = new QuantileSketch();
    for (let at = 0; at < 20_000; at++) sketch.add(10 ** ((at % 180) / 10 - 6));

    expect(sketch.toRecord().b.length / 2).toBeLessThanOrEqual(180);
  });
});

import { expect, test } from 'vitest';
import { QuantileSketch } from './quantile-sketch.ts';
import { RollingSketch } from './rolling-sketch.ts';

const minute = 60_000;

test('knows quantiles, count and failures of the window that is asked for', () => {
  const rolling = new RollingSketch();
  for (let value = 1; value <= 100; value++) rolling.add(value, value > 90, 10 * minute);
  for (let value = 0; value < 50; value++) rolling.add(1_000, false, 4 * minute);
  const { sketch, failures } = rolling.read(5 * minute, 11 * minute);
  expect(sketch.count).toBe(100);
  expect(failures).toBe(10);
  expect(Math.abs(sketch.quantile(0.95) - 95)).toBeLessThan(2);
  expect(rolling.read(60 * minute, 11 * minute).sketch.count).toBe(150);
});

test('forgets what is older than the window, and reuses its place after an hour', () => {
  const rolling = new RollingSketch();
  rolling.add(1, true, 0);
  expect(rolling.read(minute, minute).sketch.count).toBe(1);
  expect(rolling.read(minute, 2 * minute + 1).sketch.count).toBe(0);
  rolling.add(2, false, 121 * 30_000);
  const { sketch, failures } = rolling.read(60 * minute, 121 * 30_000);
  expect([sketch.count, failures]).toEqual([1, 0]);
});

test('takes up what a process before it saw, also from before the beginning of its clock', () => {
  const before = new QuantileSketch(0.01);
  for (let value = 1; value <= 1_000; value++) before.add(value);
  before.add(0);
  const rolling = new RollingSketch();
  rolling.addRecord(before.toRecord(), 7, -2 * minute);
  rolling.add(5_000, true, 1_000);
  const { sketch, failures } = rolling.read(5 * minute, 2_000);
  expect([sketch.count, failures, sketch.max, sketch.min]).toEqual([1_002, 8, 5_000, 0]);
  for (const q of [0.05, 0.5, 0.95]) {
    const exact = Math.floor(q * 1_001);
    expect(Math.abs(sketch.quantile(q) - exact) / exact).toBeLessThan(0.0303);
  }
  expect(rolling.read(minute, 2_000).sketch.count).toBe(1);
});

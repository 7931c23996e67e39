import { expect, test } from 'vitest';
import { createSilenceMeter } from './silence.ts';

test('silence grows while the counter stands and ends when it moves, in either direction', () => {
  const meter = createSilenceMeter(100, 0);
  meter.look(7, 100);
  expect(meter.silentMs).toBe(0);
  for (let nowMs = 200; nowMs <= 1_000; nowMs += 100) meter.look(7, nowMs);
  expect(meter.silentMs).toBe(900);
  meter.look(-2_147_483_648, 1_100);
  expect(meter.silentMs).toBe(0);
});

test('time in which this thread was asleep as well is nobody’s silence', () => {
  const meter = createSilenceMeter(100, 0);
  meter.look(1, 100);
  meter.look(1, 3_600_000);
  expect(meter.silentMs).toBe(200);
  meter.look(1, 3_500_000);
  expect(meter.silentMs).toBe(200);
});

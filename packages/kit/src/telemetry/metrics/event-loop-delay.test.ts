import { beforeEach, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import { EventLoopDelay } from './event-loop-delay.ts';

let clock: FakeClock;
let delayMs: number;
let closed: boolean;
beforeEach(() => {
  clock = createFakeClock();
  delayMs = 0;
  closed = false;
});
const monitor = () => ({ takeDelayMs: () => delayMs, close: () => void (closed = true) });

/** Timers fire `lateMs` after they are due, as those of a loop do that is held up. */
function lateClock(lateMs: number): FakeClock {
  return { ...clock, setTimeout: (callback, afterMs) => clock.setTimeout(callback, afterMs + lateMs) };
}

test('each second is observed once, in seconds', () => {
  const seen: number[] = [];
  const delay = new EventLoopDelay(clock, (seconds) => seen.push(seconds), monitor());
  clock.advance(2_000);
  delayMs = 250;
  clock.advance(1_000);
  delay.close();
  expect(seen).toEqual([0, 0, 0.25]);
});

test('a turn that takes three seconds counts three times', () => {
  const seen: number[] = [];
  delayMs = 3_000;
  const delay = new EventLoopDelay(lateClock(2_000), (seconds) => seen.push(seconds), monitor());
  clock.advance(3_000);
  delay.close();
  expect(seen).toEqual([3, 3, 3]);
});

test('a day of sleep is told in a bounded time', () => {
  let count = 0;
  const delay = new EventLoopDelay(lateClock(86_400_000), () => count++, monitor());
  clock.advance(86_401_000);
  delay.close();
  expect(count).toBe(3_600);
});

test('closed, it is silent, and so is what it looked at', () => {
  let count = 0;
  new EventLoopDelay(clock, () => count++, monitor()).close();
  clock.advance(10_000);
  expect([count, closed]).toEqual([0, true]);
});

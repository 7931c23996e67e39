import { beforeEach, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import { EventLoopDelay } from './event-loop-delay.ts';

let clock: FakeClock;
beforeEach(() => {
  clock = createFakeClock();
});

/** A clock whose timers fire `lateMs` after they are due, as those of a loop do that is held up. */
function lateClock(lateMs: number): FakeClock {
  return { ...clock, setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs + lateMs) };
}

test('a loop that turns is not late', () => {
  const seen: number[] = [];
  const delay = new EventLoopDelay(clock, (seconds) => seen.push(seconds));
  clock.advance(1_000);
  delay.close();
  expect(seen.length).toBe(50);
  expect(Math.max(...seen)).toBe(0);
});

test('a long turn counts as often as it is long', () => {
  const seen: number[] = [];
  const delay = new EventLoopDelay(lateClock(100), (seconds) => seen.push(Math.round(seconds * 1_000)));
  clock.advance(120);
  delay.close();
  expect(seen).toEqual([100, 80, 60, 40, 20]);
});

test('an hour of sleep is told in a bounded time', () => {
  let count = 0;
  const delay = new EventLoopDelay(lateClock(3_600_000), () => count++);
  clock.advance(3_600_020);
  delay.close();
  expect(count).toBe(5_000);
});

test('closed, it is silent', () => {
  let count = 0;
  new EventLoopDelay(clock, () => count++).close();
  clock.advance(1_000);
  expect(count).toBe(0);
});

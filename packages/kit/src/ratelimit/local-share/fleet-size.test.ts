import { expect, test } from 'vitest';
import { createFakeClock } from '../../testing/index.ts';
import { FleetSize } from './fleet-size.ts';

function setUp(size: number) {
  const clock = createFakeClock();
  clock.advance(7_777);
  const fleet = new FleetSize(clock, size, 1_000);
  return {
    fleet,
    after(elapsedMs: number, reported: number): number {
      clock.advance(elapsedMs);
      fleet.count(reported);
      return fleet.size;
    },
  };
}

test('more is believed at once, fewer when it has lasted to the millisecond', () => {
  const { after } = setUp(2);
  expect(after(0, 5)).toBe(5);
  expect([after(0, 3), after(999, 3), after(1, 3)]).toEqual([5, 5, 3]);
  // And again from there, for as long.
  expect([after(500, 2), after(999, 2), after(1, 2)]).toEqual([3, 3, 2]);
});

test('fewer that did not last is forgotten: it has to last anew', () => {
  const { after } = setUp(3);
  expect([after(0, 2), after(900, 3), after(900, 2), after(999, 2), after(1, 2)]).toEqual([3, 3, 3, 3, 2]);
});

test('what was seen before the store was lost does not count as lasting', () => {
  const { after, fleet } = setUp(3);
  after(0, 2);
  fleet.lose();
  expect([after(1_000, 2), after(999, 2), after(1, 2)]).toEqual([3, 3, 2]);
});

test('this instance is one, also for a store that knows of none', () => {
  const { after } = setUp(4);
  expect([after(0, 0), after(1_000, 0)]).toEqual([4, 1]);
});

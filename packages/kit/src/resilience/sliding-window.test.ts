import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import { SlidingWindow } from './sliding-window.ts';

test('what is counted leaves when its tenth of the window comes round again', () => {
  const clock = createFakeClock();
  const window = new SlidingWindow(10_000, clock);
  for (let second = 0; second < 10; second++) {
    window.add(10, 1);
    clock.advance(1_000);
  }
  expect(window.totals()).toEqual([90, 9]);
  clock.advance(999);
  expect(window.totals()).toEqual([90, 9]);
  clock.advance(1);
  expect(window.totals()).toEqual([80, 8]);
  window.clear();
  expect(window.totals()).toEqual([0, 0]);
});

test('counts as a list of everything with its time does', () => {
  const step = fc.record({ afterMs: fc.nat(3_000), first: fc.nat(9), second: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.integer({ min: 10, max: 20_000 }), (steps, windowMs) => {
      const clock = createFakeClock();
      const window = new SlidingWindow(windowMs, clock);
      const slotOf = (at: number) => Math.floor(at / (windowMs / 10));
      const log: { slot: number; first: number; second: number }[] = [];
      for (const { afterMs, first, second } of steps) {
        clock.advance(afterMs);
        const slot = slotOf(clock.monotonic());
        window.add(first, second);
        log.push({ slot, first, second });
        const seen = log.filter((entry) => entry.slot > slot - 10);
        const sum = (of: (entry: (typeof log)[number]) => number) => seen.reduce((total, entry) => total + of(entry), 0);
        expect(window.totals()).toEqual([sum((entry) => entry.first), sum((entry) => entry.second)]);
      }
    }),
    { numRuns: 100 },
  );
});

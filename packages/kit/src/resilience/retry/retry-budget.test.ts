import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../testing/index.ts';
import { createRetryBudget } from './index.ts';

test('a share of the calls of the window, and at least the minimum', () => {
  const clock = createFakeClock();
  const budget = createRetryBudget({ clock });
  expect(budget.status()).toEqual({ calls: 0, retries: 0, allowed: 3 });
  for (let call = 0; call < 100; call++) budget.recordCall();
  expect(budget.status().allowed).toBe(20);
  expect(Array.from({ length: 25 }, () => budget.tryTake()).filter(Boolean)).toHaveLength(20);
  clock.advance(10_000);
  expect(budget.status()).toEqual({ calls: 0, retries: 0, allowed: 3 });
});

test('calls of an hour ago earn nothing, and those of a burst all that is theirs', () => {
  const clock = createFakeClock();
  const budget = createRetryBudget({ clock });
  for (let call = 0; call < 60; call++) budget.recordCall();
  clock.advance(3_600_000);
  for (let call = 0; call < 50; call++) budget.recordCall();
  expect(budget.status()).toEqual({ calls: 50, retries: 0, allowed: 10 });
});

test('no budget lets everything through', () => {
  const budget = createRetryBudget({ percent: Number.POSITIVE_INFINITY });
  budget.recordCall();
  expect(Array.from({ length: 1_000 }, () => budget.tryTake()).every(Boolean)).toBe(true);
  expect(budget.status().allowed).toBe(Number.POSITIVE_INFINITY);
});

test('over any time, retries are at most a share of the calls and the minimum a window', () => {
  const step = fc.record({ afterMs: fc.nat(4_000), calls: fc.nat(120), retries: fc.nat(120) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 100 }), fc.nat(5), (steps, percent, minPerWindow) => {
      const clock = createFakeClock();
      const budget = createRetryBudget({ clock, percent, minPerWindow });
      let calls = 0;
      let granted = 0;
      for (const { afterMs, calls: more, retries } of steps) {
        clock.advance(afterMs);
        for (let call = 0; call < more; call++) budget.recordCall();
        calls += more;
        for (let retry = 0; retry < retries; retry++) if (budget.tryTake()) granted += 1;
        const windows = Math.ceil((Math.floor(clock.monotonic() / 1_000) + 1) / 10);
        expect(granted).toBeLessThanOrEqual((percent / 100) * calls + minPerWindow * windows + 1e-6);
      }
    }),
    { numRuns: 200 },
  );
});

test('without a budget there are as many as are asked for', () => {
  const budget = createRetryBudget({ percent: Number.POSITIVE_INFINITY, minPerWindow: 0 });
  expect(Array.from({ length: 50 }, () => budget.tryTake()).every(Boolean)).toBe(true);
  expect(budget.status()).toEqual({ calls: 0, retries: 0, allowed: Number.POSITIVE_INFINITY });
});

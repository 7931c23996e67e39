import fc from 'fast-check';
import { createFakeClock } from '../../testing/index.ts';
import { expect, test } from 'vitest';
import { OffenceTable } from './offence-table.ts';

const windowMs = 60_000;

/** The most that came within one window. */
function heaviestWindow(events: readonly { readonly atMs: number; readonly weight: number }[]): number {
  return Math.max(
    0,
    ...events.map(({ atMs }) =>
      events.filter((other) => other.atMs >= atMs && other.atMs < atMs + windowMs).reduce((sum, { weight }) => sum + weight, 0),
    ),
  );
}

test('whoever stays under the threshold in every window never passes it, and whoever doubles it does', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(0, 1, 500, 5_000, 20_000, 59_999, 60_000), fc.integer({ min: 1, max: 6 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, fc.constantFrom(3, 10, 20), (steps, threshold) => {
      const clock = createFakeClock();
      const table = new OffenceTable({ clock, threshold, windowMs, maxKeys: 10 });
      const events: { atMs: number; weight: number }[] = [];
      let highest = 0;
      for (const [waitMs, weight] of steps) {
        clock.advance(waitMs);
        events.push({ atMs: clock.monotonic(), weight });
        highest = Math.max(highest, table.add('a', weight).level);
      }
      const heaviest = heaviestWindow(events);
      if (heaviest <= threshold) expect(highest).toBeLessThanOrEqual(threshold + 1e-6);
      if (heaviest > 2 * threshold) expect(highest).toBeGreaterThan(threshold);
    }),
    { numRuns: 2_000 },
  );
});

test('what was seen before adds nothing, until all of it has drained', () => {
  const clock = createFakeClock();
  const table = new OffenceTable({ clock, threshold: 10, windowMs, maxKeys: 10 });
  for (let again = 0; again < 100; again++) table.add('a', 1, { token: 7 });
  expect(table.level('a')).toBe(1);
  expect(table.add('a', 1, { token: 8 })).toMatchObject({ level: 2, count: 2 });
  clock.advance(windowMs);
  expect(table.add('a', 1, { token: 7 })).toMatchObject({ level: 1, count: 1 });
});

test('of what was seen the last 64 are remembered', () => {
  const table = new OffenceTable({ clock: createFakeClock(), threshold: 1_000, windowMs, maxKeys: 10 });
  for (let token = 0; token < 66; token++) table.add('a', 1, { token });
  for (let token = 2; token < 66; token++) table.add('a', 1, { token });
  expect(table.level('a')).toBe(66);
  expect(table.add('a', 1, { token: 0 }).level).toBe(67);
});

test('a flood of keys takes the room of the bound, and pushes out those that did least', () => {
  const clock = createFakeClock();
  const table = new OffenceTable({ clock, threshold: 20, windowMs: 3_600_000, maxKeys: 5_000 });
  for (let busy = 0; busy < 100; busy++) table.add(`busy ${busy}`, 15);
  for (let at = 0; at < 200_000; at++) table.add(`flood ${at}`, 1, { token: at });
  expect(table.size).toBe(5_000);
  let kept = 0;
  for (let busy = 0; busy < 100; busy++) if (table.level(`busy ${busy}`) > 14) kept++;
  expect(kept).toBe(100);
});

test('keys that have drained leave by themselves when others come', () => {
  const clock = createFakeClock();
  const table = new OffenceTable({ clock, threshold: 20, windowMs, maxKeys: 100_000 });
  for (let at = 0; at < 1_000; at++) table.add(`old ${at}`, 1);
  clock.advance(windowMs);
  for (let at = 0; at < 2_000; at++) table.add(`new ${at}`, 1);
  expect(table.size).toBe(2_000);
});

test('examples are few, short, and do not keep what they were cut from', () => {
  const table = new OffenceTable({ clock: createFakeClock(), threshold: 20, windowMs, maxKeys: 10 });
  for (let at = 0; at < 10; at++) table.add('a', 1, { token: at, sample: `/${at}/${'x'.repeat(10_000)}` });
  const { samples } = table.add('a', 1, { token: 99 });
  expect(samples.map((sample) => sample.length)).toEqual([80, 80, 80]);
});

test('how long until the level is low is how long it takes', () => {
  const clock = createFakeClock();
  const table = new OffenceTable({ clock, threshold: 5, windowMs, maxKeys: 10 });
  table.add('a', 5);
  const waitMs = table.msUntilBelow('a', 4);
  expect(waitMs).toBe(12_000);
  clock.advance(waitMs);
  expect(table.level('a')).toBeCloseTo(4);
  expect(table.msUntilBelow('nobody', 4)).toBe(0);
});

test('what is taken back is no longer held against the key, and never becomes credit', () => {
  const table = new OffenceTable({ clock: createFakeClock(), threshold: 5, windowMs, maxKeys: 10 });
  table.add('a', 3);
  table.relieve('a', 2);
  expect(table.level('a')).toBe(1);
  table.relieve('a', 100);
  table.relieve('nobody', 1);
  expect(table.add('a', 1).level).toBe(1);
});

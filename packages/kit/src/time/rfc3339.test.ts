import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTimestampWriter } from './rfc3339.ts';

test('writes the same text as the calendar, in whatever order times come', () => {
  const write = createTimestampWriter();
  const nearby = fc
    .tuple(fc.integer({ min: -62_000_000_000_000, max: 253_000_000_000_000 }), fc.array(fc.integer({ min: 0, max: 5_000 })))
    .map(([base, steps]) => [base, ...steps.map((step) => base + step)]);
  fc.assert(
    fc.property(nearby, (times) => {
      for (const time of times) expect(write(time)).toBe(new Date(time).toISOString());
    }),
  );
});

test('cuts fractions of a millisecond off', () => {
  expect(createTimestampWriter()(1_795_168_662_923.999)).toBe('2026-11-20T09:57:42.923Z');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSeededRandom } from './seeded-random.ts';

test('the same seed gives the same numbers and bytes, another seed others', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (seed) => {
      const [one, same, other] = [createSeededRandom(seed), createSeededRandom(seed), createSeededRandom(seed === 0 ? 1 : -seed)];
      const draw = (random: typeof one) => [random.next(), random.next(), random.bytes(16).toString('hex')];
      const first = draw(one);
      expect(draw(same)).toEqual(first);
      expect(draw(other)).not.toEqual(first);
    }),
  );
});

test('numbers lie in [0, 1) and are spread evenly', () => {
  const random = createSeededRandom(7);
  const buckets = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 10_000; draw++) {
    const value = random.next();
    expect(value >= 0 && value < 1).toBe(true);
    buckets[Math.floor(value * 10)]!++;
  }
  for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('a seed that is no integer is refused', () => {
  expect(() => createSeededRandom(0.5)).toThrow(RangeError);
});

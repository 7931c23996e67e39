import { expect, test } from 'vitest';
import { createSeededRandom } from '@holdfast/kit/testing';
import { readMarker, writeMarker } from './marker.ts';
import { planCall } from './plan-call.ts';
import { planRounds } from './plan-round.ts';

test('a marker is read as it was written, and is short enough for every dialect', () => {
  const random = createSeededRandom(7);
  for (let number = 0; number < 2_000; number++) {
    const { marker } = planCall(random, 'x1zik0zj', 99_999, number);
    const read = readMarker(marker)!;
    expect(read).toMatchObject({ run: 'x1zik0zj', round: 99_999, number });
    expect(writeMarker(read)).toBe(marker);
    expect(marker.length).toBeLessThanOrEqual(64);
  }
  expect(readMarker('somebody')).toBeUndefined();
});

test('every ten rounds strike each target, and a seed gives the same rounds again', () => {
  const ten = (seed: number) => {
    const plans = planRounds(createSeededRandom(seed));
    return Array.from({ length: 10 }, () => plans.next().value);
  };
  expect(new Set(ten(5).map((plan) => plan.target))).toEqual(new Set(['server', 'postgres', 'both', 'backend', 'stop', 'hang']));
  expect(ten(5)).toEqual(ten(5));
  expect(ten(5)).not.toEqual(ten(6));
});

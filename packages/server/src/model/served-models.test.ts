import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { createModelCatalog } from './model-catalog.ts';
import { ModelGeneration, ServedModels } from './served-models.ts';

const longestCallMs = 10_000;

function setup() {
  const clock = createFakeClock();
  const unused: string[] = [];
  const generation = (name: string): ModelGeneration =>
    new ModelGeneration({
      catalog: createModelCatalog({ providers: new Map(), models: new Map(), clock, random: createSeededRandom(1) }),
      pricing: { costNanoUsd: () => 0, boundsOf: () => undefined, priceId: () => undefined },
      clock,
      longestCallMs,
      onUnused: () => void unused.push(name),
    });
  const first = generation('first');
  return { clock, unused, generation, first, served: new ServedModels(first) };
}

test('a generation without calls is let go as soon as it is replaced', () => {
  const { served, generation, unused } = setup();
  served.replace(generation('second'));
  served.replace(generation('third'));
  expect(unused).toEqual(['first', 'second']);
});

test('a generation is let go when its last call has ended, not before, and once', () => {
  const { served, generation, unused, first, clock } = setup();
  first.enter();
  first.enter();
  const second = generation('second');
  served.replace(second);
  expect(served.current).toBe(second);
  first.leave();
  expect(unused).toEqual([]);
  first.leave();
  expect(unused).toEqual(['first']);
  clock.advance(longestCallMs * 2);
  expect(unused).toEqual(['first']);
  expect(clock.pendingTimers).toBe(0);
});

test('calls that come and go leave the generation in force alone', () => {
  const { first, unused, clock } = setup();
  for (let calls = 0; calls < 3; calls++) {
    first.enter();
    first.leave();
  }
  expect([unused, clock.pendingTimers]).toEqual([[], 0]);
});

test('a call that is never counted out holds its generation no longer than a call can take', () => {
  const { served, generation, unused, first, clock } = setup();
  first.enter();
  served.replace(generation('second'));
  clock.advance(longestCallMs - 1);
  expect(unused).toEqual([]);
  clock.advance(1);
  expect(unused).toEqual(['first']);
  first.leave();
  expect(unused).toEqual(['first']);
});

import { expect, test } from 'vitest';
import { createFakeClock } from '../../../testing/index.ts';
import { breakerStoreContract } from '../../contract/index.ts';
import { createLocalBreakerStore } from './index.ts';

const contract = breakerStoreContract(() => {
  const clock = createFakeClock();
  const store = createLocalBreakerStore({ clock });
  return { connect: () => store, advance: (elapsedMs) => clock.advance(elapsedMs), delivered: () => Promise.resolve(), close() {} };
});

test.each(contract)('$name', ({ run }) => run());

test('a name that nobody watches any more is forgotten', () => {
  const store = createLocalBreakerStore();
  const ends = [1, 2].map(() =>
    store.watch(
      'target',
      () => {},
      () => {},
    ),
  );
  void store.publish('target', { generation: 1, state: 'open', recoveryMs: 1_000, byHand: false });
  ends[0]!();
  const seen: number[] = [];
  store.watch(
    'target',
    ({ generation }) => void seen.push(generation),
    () => {},
  )();
  ends[1]!();
  store.watch(
    'target',
    ({ generation }) => void seen.push(generation),
    () => {},
  )();
  expect(seen).toEqual([1]);
});

test('the end of a watch, asked for twice, does not forget the name that others watch since', () => {
  const store = createLocalBreakerStore();
  const noFailure = () => {};
  const first = store.watch('target', () => {}, noFailure);
  first();
  store.watch('target', () => {}, noFailure);
  void store.publish('target', { generation: 3, state: 'open', recoveryMs: 1_000, byHand: false });
  first();
  const seen: number[] = [];
  store.watch('target', ({ generation }) => void seen.push(generation), noFailure)();
  expect(seen).toEqual([3]);
});

import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { GuardBook } from './guard-book.ts';
import { KeptParts } from './kept-parts.ts';

const clock = createFakeClock();

/** The guards of one generation of models; `threshold` is what the configuration says of its one target. */
function book({ kept = new KeptParts(), threshold = 5, provider = {} }: { kept?: KeptParts; threshold?: number; provider?: object } = {}) {
  const guards = new GuardBook({ configured: new Map([['a/b', { breaker: { threshold } }]]), kept, clock, breakerStore: undefined });
  const breaker = (name: string) => guards.get(name, provider).breaker!;
  return { guards, kept, breaker, provider };
}

test('what an operator keeps open stays open in the next generation, though its guard is made anew', async () => {
  const before = book();
  await before.breaker('a/b').open();
  await before.breaker('a/passed').open({ recoveryMs: 60_000 });
  clock.advance(20_000);
  const next = book({ kept: new KeptParts(before.kept), threshold: 9 });
  const names = ['a/b', 'a/passed'];
  expect(names.map((name) => next.breaker(name) === before.breaker(name))).toEqual([false, false]);
  next.guards.holdOpen(before.guards);
  before.guards.dispose(next.guards);
  expect(next.breaker('a/b').status()).toMatchObject({ state: 'open', byHand: true, probeInMs: Number.POSITIVE_INFINITY });
  expect(next.breaker('a/passed').status()).toMatchObject({ state: 'open', byHand: true, probeInMs: 40_000 });
  await next.breaker('a/b').close();
  expect(next.breaker('a/b').state).toBe('closed');
});

test('what is closed, what opened by itself, and what is over does not follow', async () => {
  const before = book();
  await before.breaker('a/b').close();
  await before.breaker('a/over').open({ recoveryMs: 1_000 });
  before.breaker('a/closed');
  clock.advance(1_000);
  const next = book();
  for (const name of ['a/b', 'a/over', 'a/closed']) next.breaker(name);
  next.guards.holdOpen(before.guards);
  expect(next.guards.breakers().map((breaker) => [breaker.state, breaker.status().byHand])).toEqual([
    ['closed', false],
    ['closed', false],
    ['closed', false],
  ]);
});

test('an unchanged guard goes on as it is', async () => {
  const before = book();
  await before.breaker('a/b').open();
  const { changedAt } = before.breaker('a/b').status();
  clock.advance(5_000);
  const next = book({ kept: new KeptParts(before.kept), provider: before.provider });
  expect(next.breaker('a/b')).toBe(before.breaker('a/b'));
  next.guards.holdOpen(before.guards);
  expect(next.breaker('a/b').status().changedAt).toBe(changedAt);
});

test('a name that passed through is forgotten, unless an operator keeps it open', async () => {
  const { guards, breaker } = book();
  for (const name of ['a/b', 'a/quiet', 'a/held']) breaker(name);
  await guards.findBreaker('a/held')!.open();
  for (const name of ['a/b', 'a/quiet', 'a/held']) guards.forget(name);
  expect(guards.breakers().map(({ name }) => name)).toEqual(['a/b', 'a/held']);
  await guards.findBreaker('a/held')!.close();
  guards.forget('a/held');
  expect(guards.findBreaker('a/held')).toBeUndefined();
});

import { expect, test } from 'vitest';
import { createFakeClock } from '../../../testing/index.ts';
import { CredentialTurns } from './credential-turns.ts';

function setUp(count: number) {
  const clock = createFakeClock();
  const turns = new CredentialTurns(count, clock);
  return { clock, turns, next: (times: number, model = 'm') => Array.from({ length: times }, () => turns.next(model)) };
}

test('credentials are used in turn', () => {
  expect(setUp(3).next(6)).toEqual([0, 1, 2, 0, 1, 2]);
});

test('one that was refused for a model rests for that model alone, for a minute', () => {
  const { clock, turns, next } = setUp(3);
  expect(turns.refused(1, 'm')).toBe(true);
  expect(new Set(next(9))).toEqual(new Set([0, 2]));
  expect(new Set(next(9, 'other'))).toEqual(new Set([0, 1, 2]));
  clock.advance(59_999);
  expect(next(9)).not.toContain(1);
  clock.advance(1);
  expect(next(9)).toContain(1);
});

test('when all rest, the one that has rested longest goes, and none is said to do better', () => {
  const { clock, turns, next } = setUp(2);
  expect(turns.refused(1, 'm')).toBe(true);
  clock.advance(1);
  expect(turns.refused(0, 'm')).toBe(false);
  expect(next(3)).toEqual([1, 1, 1]);
});

test('the only credential of a provider has no other', () => {
  const { turns, next } = setUp(1);
  expect(turns.refused(0, 'm')).toBe(false);
  expect(next(2)).toEqual([0, 0]);
});

test('refusals of models whose names clients make up do not pile up', () => {
  const { turns, next } = setUp(2);
  for (let at = 0; at < 1_001; at++) turns.refused(0, `m${at}`);
  expect(next(2, 'm0')).toContain(0);
  expect(next(2, 'm1000')).not.toContain(0);
});

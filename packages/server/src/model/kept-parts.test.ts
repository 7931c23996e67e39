import { expect, test } from 'vitest';
import { KeptParts } from './kept-parts.ts';

/** Private state only: for a comparison by members all of them are alike. */
class Part {
  #failures = 0;
  fail(): void {
    this.#failures++;
  }
  get failures(): number {
    return this.#failures;
  }
}

const make = (): Part => new Part();
const settings = { threshold: 5, limits: { totalMs: 1_000 } };

test('a part made of the same keeps its state from one generation to the next', () => {
  const provider = new Part();
  const first = new KeptParts();
  first.keep('breaker', { on: [provider], settings }, make).fail();
  const second = new KeptParts(first);
  expect(second.keep('breaker', { on: [provider], settings: structuredClone(settings) }, make).failures).toBe(1);
  const third = new KeptParts(second);
  expect(third.keep('breaker', { on: [provider], settings }, make).failures).toBe(1);
});

test.each([
  ['settings differ', (provider: Part) => ({ on: [provider], settings: { ...settings, threshold: 6 } })],
  ['a setting deep within differs', (provider: Part) => ({ on: [provider], settings: { ...settings, limits: { totalMs: 2 } } })],
  ['it stands on another object, however alike', () => ({ on: [new Part()], settings })],
  ['it stands on more', (provider: Part) => ({ on: [provider, new Part()], settings })],
] as const)('a part is made anew when %s', (_, changed) => {
  const provider = new Part();
  const first = new KeptParts();
  first.keep('breaker', { on: [provider], settings }, make).fail();
  expect(new KeptParts(first).keep('breaker', changed(provider), make).failures).toBe(0);
  expect(first.keep('breaker', { on: [provider], settings }, make).failures).toBe(1);
});

test('within a generation a key stands for one part', () => {
  const kept = new KeptParts();
  const madeOf = { on: [], settings };
  expect(kept.keep('a', madeOf, make)).toBe(kept.keep('a', madeOf, make));
  expect(kept.keep('a', madeOf, make)).not.toBe(kept.keep('b', madeOf, make));
});

test('what a generation forgot or did not ask for is not there for the one after the next', () => {
  const madeOf = { on: [], settings };
  const first = new KeptParts();
  const [asked, unasked, forgotten] = ['asked', 'unasked', 'forgotten'].map((key) => first.keep(key, madeOf, make));
  first.forget('forgotten');
  const second = new KeptParts(first);
  second.keep('asked', madeOf, make);
  const third = new KeptParts(second);
  expect(third.keep('asked', madeOf, make)).toBe(asked);
  expect(third.keep('unasked', madeOf, make)).not.toBe(unasked);
  expect(second.keep('forgotten', madeOf, make)).not.toBe(forgotten);
});

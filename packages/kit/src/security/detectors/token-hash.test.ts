import { createSeededRandom } from '../../testing/index.ts';
import { expect, test } from 'vitest';
import { createTokenHash } from './token-hash.ts';

test('texts that differ in length, begin or end are told apart, however long', () => {
  const hash = createTokenHash(createSeededRandom(1));
  const middle = 'x'.repeat(1_000);
  const texts = ['', 'a', 'b', `a${middle}`, `b${middle}`, `${middle}a`, `${middle}b`, `${middle}aa`, `a${middle}a`];
  expect(new Set(texts.map(hash)).size).toBe(texts.length);
  expect(texts.map(hash)).toEqual(texts.map(hash));
});

test('another process hashes otherwise, so nobody can make two texts that fall together', () => {
  expect(createTokenHash(createSeededRandom(1))('/.env')).not.toBe(createTokenHash(createSeededRandom(2))('/.env'));
});

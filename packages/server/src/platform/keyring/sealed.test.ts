import { systemRandom } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { createKeyRing, sealValue, unsealValue } from './index.ts';

const key = (version: number, fill: number) => ({ version, secret: Buffer.alloc(32, fill) });
const keyRing = createKeyRing([key(1, 1)]);
const about = { keyRing, purpose: 'test', context: 'row 1' };
const value = Buffer.from('a private key');
const seal = () => sealValue(value, { ...about, random: systemRandom });

test('a value opens where it was sealed, also after the master key was rotated, and shows nothing of itself', () => {
  const sealed = seal();
  expect(unsealValue(sealed, about)).toEqual(value);
  expect(unsealValue(sealed, { ...about, keyRing: createKeyRing([key(2, 2), key(1, 1)]) })).toEqual(value);
  expect(sealed.includes('private')).toBe(false);
  expect(seal().equals(sealed)).toBe(false);
});

test.each([
  ['in another place', { ...about, context: 'row 2' }],
  ['for another purpose', { ...about, purpose: 'other' }],
  ['with another master key', { ...about, keyRing: createKeyRing([key(1, 3)]) }],
  ['without the version that sealed it', { ...about, keyRing: createKeyRing([key(2, 1)]) }],
])('it does not open %s', (_, options) => {
  expect(() => unsealValue(seal(), options)).toThrow(expect.objectContaining({ code: 'master_key_unusable' }) as Error);
});

test('it does not open when a bit of it was changed, or its end is missing', () => {
  const sealed = seal();
  for (let at = 4; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    expect(() => unsealValue(changed, about)).toThrow(expect.objectContaining({ code: 'master_key_unusable' }) as Error);
  }
  for (const length of [0, 20, sealed.length - 1]) expect(() => unsealValue(sealed.subarray(0, length), about)).toThrow();
});

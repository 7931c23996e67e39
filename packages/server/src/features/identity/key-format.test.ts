import { createSeededRandom } from '@holdfast/kit/testing';
import { systemRandom } from '@holdfast/kit/time';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeySecret, isWellFormedKey, keyLength, shownPrefix } from './key-format.ts';

const scanner = /\bhf_[0-9a-hjkmnp-tv-z]{38}\b/;

describe('a key', () => {
  test('is well formed, and a secret scanner finds it in a text', () => {
    for (let i = 0; i < 1000; i += 1) {
      const key = createKeySecret(systemRandom);
      expect(key).toHaveLength(keyLength);
      expect(isWellFormedKey(key)).toBe(true);
      expect(scanner.exec(`token: "${key}",`)?.[0]).toBe(key);
    }
  });

  test('carries all of its 160 bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.integer({ min: 0, max: 159 }), (bytes, bit) => {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const keyOf = (of: Uint8Array) => createKeySecret({ next: () => 0, bytes: () => Buffer.from(of) });
        expect(keyOf(bytes).slice(0, 35)).not.toBe(keyOf(flipped).slice(0, 35));
      }),
    );
  });

  test('with any one character changed is refused', () => {
    const key = createKeySecret(systemRandom);
    for (let at = 0; at < key.length; at += 1) {
      for (const other of '0z_Il ') {
        if (key[at] === other) continue;
        expect(isWellFormedKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
      }
    }
  });

  test('with two neighbours swapped, cut short or made longer is refused', () => {
    const key = createKeySecret(createSeededRandom(7));
    for (let at = 3; at < key.length - 1; at += 1) {
      if (key[at] === key[at + 1]) continue;
      expect(isWellFormedKey(key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2))).toBe(false);
    }
    for (const other of [key.slice(0, -1), `${key}0`, ` ${key}`, `${key}\n`, '', key.toUpperCase()]) {
      expect(isWellFormedKey(other)).toBe(false);
    }
  });

  test('keeps the form that was published', () => {
    expect(createKeySecret({ next: () => 0, bytes: (length) => Buffer.alloc(length) })).toBe('hf_00000000000000000000000000000000weppyc');
  });

  test('shows 9 characters of itself, and of a foreign secret 4', () => {
    const key = createKeySecret(systemRandom);
    expect(shownPrefix(key)).toBe(key.slice(0, 9));
    expect(shownPrefix('correct-horse-battery-staple-and-more')).toBe('corr');
  });
});

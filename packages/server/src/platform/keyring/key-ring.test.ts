import { hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { createKeyRing } from './key-ring.ts';

const first = { version: 1, secret: Buffer.alloc(32, 1) };
const second = { version: 2, secret: Buffer.alloc(32, 2) };

test('each purpose and each version has a key of its own', () => {
  const ring = createKeyRing([second, first]);
  const keys = [ring.derive('a'), ring.derive('b'), ring.derive('a', 1), ring.derive('b', 1)].map((key) => key.toString('hex'));
  expect(new Set(keys).size).toBe(4);
  expect(ring.derive('a')).toEqual(ring.derive('a', 2));
  expect(ring).toMatchObject({ version: 2, versions: [2, 1] });
});

test('derived keys stay what they were when the master key was first used', () => {
  // Written out: a change here makes every stored hash unknown.
  const expected = Buffer.from(hkdfSync('sha256', Buffer.alloc(32, 1), 'holdfast.keyring.v1', 'holdfast/api-keys', 32));
  expect(createKeyRing([first]).derive('api-keys')).toEqual(expected);
  expect(expected.toString('hex')).toBe('5876a59648e2d009ebc42f13de72f919a0e7c9fd36938a3ca118a52dab4b2830');
});

test('a caller that wipes its key does not wipe that of others', () => {
  const ring = createKeyRing([first]);
  const before = ring.derive('a').toString('hex');
  ring.derive('a').fill(0);
  expect(ring.derive('a').toString('hex')).toBe(before);
});

test('a version that the ring has not is refused', () => {
  expect(() => createKeyRing([first]).derive('a', 3)).toThrow(expect.objectContaining({ code: 'master_key_unusable' }));
});

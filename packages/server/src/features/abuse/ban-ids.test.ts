import { randomBytes } from 'node:crypto';
import type { Ban } from '@holdfast/kit/security';
import { expect, test } from 'vitest';
import { createKeyRing } from '../../platform/keyring/index.ts';
import { createBanIds } from './ban-ids.ts';

const masterKey = (version: number) => ({ version, secret: randomBytes(32) });
const first = masterKey(1);
const ids = createBanIds(createKeyRing([first]));

const ban = (range: string, bannedAtMs = 1_795_167_208_114): Ban => ({
  range,
  reason: 'manual',
  source: 'manual',
  bannedAtMs,
  endsAtMs: null,
  repeats: 0,
  by: null,
  note: null,
});
const ranges = ['203.0.113.7', '203.0.113.0/24', '2001:db8::/64', '2001:db8:1234:5678:9abc:def0:1234:5678'];

test.each(ranges)('the id of a ban of %s leads back to it, on every instance, and does not hold it', (range) => {
  const id = ids.of(ban(range));
  expect(id).toMatch(/^[\w-]{20,128}$/);
  expect(createBanIds(createKeyRing([first])).read(id)).toEqual({ range, bannedAtMs: 1_795_167_208_114 });
  expect(Buffer.from(id, 'base64url').toString('latin1')).not.toContain(range.slice(0, 6));
});

test('each ban of a range has an id of its own', () => {
  expect(ids.of(ban('203.0.113.7', 1))).not.toBe(ids.of(ban('203.0.113.7', 2)));
  expect(ids.of(ban('203.0.113.7', 1))).toBe(ids.of(ban('203.0.113.7', 1)));
});

test('ids that were made with an older master key are still read', () => {
  const id = ids.of(ban('203.0.113.7'));
  const rotated = createBanIds(createKeyRing([masterKey(2), first]));
  expect(rotated.read(id)?.range).toBe('203.0.113.7');
  expect(rotated.of(ban('203.0.113.7'))).not.toBe(id);
});

test('what is no id of this installation is none', () => {
  const id = ids.of(ban('203.0.113.7'));
  const changed = Buffer.from(id, 'base64url');
  changed[changed.length - 1]! ^= 1;
  for (const text of [
    '',
    'nonsense',
    '203.0.113.7',
    `${id}=`,
    `${id} `,
    id.slice(1),
    changed.toString('base64url'),
    'A'.repeat(10_000),
    'A'.repeat(16),
  ])
    expect(ids.read(text), text.slice(0, 50)).toBeUndefined();
  expect(createBanIds(createKeyRing([masterKey(1)])).read(id)).toBeUndefined();
});

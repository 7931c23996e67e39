import { describe, expect, test } from 'vitest';
import { createKeyCache, createRefusalCache, type CachedKey } from './key-cache.ts';

function key(keyId: string, digest: string, organizationId = 'org'): CachedKey {
  return {
    digest,
    digests: [digest],
    principal: { organizationId, organizationTier: 'basic', keyId, userId: undefined, scopes: new Set(), allowedModels: undefined },
    expiresAtUnixMs: Infinity,
    staleAtMs: Infinity,
    refreshAtMs: Infinity,
    away: false,
    usedAtUnixMs: 0,
  };
}

describe('the memory of good keys', () => {
  test('holds no more than its bound, and lets go of the key that was looked up longest ago', () => {
    const cache = createKeyCache(3);
    for (const name of ['a', 'b', 'c']) cache.put(key(name, name));
    cache.put(key('a', 'a'));
    cache.put(key('d', 'd'));
    expect(['a', 'b', 'c', 'd'].map((digest) => cache.get(digest) !== undefined)).toEqual([true, false, true, true]);
    expect(cache.size).toBe(3);
  });

  test('forgets a key by its id, and only that one', () => {
    const cache = createKeyCache(3);
    cache.put(key('a', '1'));
    cache.put(key('b', '2'));
    cache.dropKey('a');
    cache.dropKey('unknown');
    expect([cache.get('1'), cache.get('2')?.principal.keyId]).toEqual([undefined, 'b']);
  });

  test('does not let an entry that was replaced take the new one with it', () => {
    const cache = createKeyCache(3);
    const old = key('a', '1');
    cache.put(old);
    const next = key('a', '1');
    cache.put(next);
    cache.drop(old);
    expect(cache.get('1')).toBe(next);
    cache.dropKey('a');
    expect(cache.size).toBe(0);
  });
});

describe('the memory of the keys of an organization', () => {
  test('goes as a whole, and leaves that of others', () => {
    const cache = createKeyCache(10);
    cache.put(key('a', '1', 'acme'));
    cache.put(key('b', '2', 'acme'));
    cache.put(key('c', '3', 'zebra'));
    cache.dropOrganization('acme');
    cache.dropOrganization('unknown');
    expect(['1', '2', '3'].map((digest) => cache.get(digest) !== undefined)).toEqual([false, false, true]);
    expect(cache.size).toBe(1);
  });

  test('has nothing left of keys that were replaced, dropped or pushed out', () => {
    const cache = createKeyCache(2);
    for (const round of ['1', '2', '3']) cache.put(key('a', round, 'acme'));
    cache.dropKey('a');
    for (const name of ['b', 'c', 'd']) cache.put(key(name, name, 'acme'));
    cache.dropOrganization('acme');
    expect(cache.size).toBe(0);
  });
});

describe('the memory of refused keys', () => {
  test('holds no more than its bound, the newest', () => {
    const refusals = createRefusalCache(2);
    for (const digest of ['a', 'b', 'a', 'c']) refusals.put(digest, 'key_unknown', 100);
    expect(['a', 'b', 'c'].map((digest) => refusals.get(digest, 0))).toEqual(['key_unknown', undefined, 'key_unknown']);
    expect(refusals.size).toBe(2);
  });

  test('forgets each at its time', () => {
    const refusals = createRefusalCache(2);
    refusals.put('a', 'key_revoked', 100);
    expect(refusals.get('a', 99)).toBe('key_revoked');
    expect(refusals.get('a', 100)).toBeUndefined();
    expect(refusals.size).toBe(0);
  });
});

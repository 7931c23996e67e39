import { randomBytes } from 'node:crypto';
import { createClientIpResolver } from '@holdfast/kit/security';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../config/index.ts';
import { createKeyRing } from '../platform/keyring/index.ts';
import { createClientNames, pseudonymAt } from './client-names.ts';

const keyRing = createKeyRing([{ version: 1, secret: randomBytes(32) }]);
const clients = createClientIpResolver();
const client = (peer: string) => clients.resolve({ peer, header: undefined });
const clock = createFakeClock();
const open = (env: Record<string, string> = {}) => {
  const names = createClientNames({ configuration: loadConfiguration({ env, cwd: '/' }), clock });
  names.open(keyRing);
  return names;
};

test('a client has one name in the lines of its requests, its limits and its bans: of IPv6 that of its network', () => {
  const names = open();
  const name = names.ofClient(client('2001:db8::1'));
  expect(name).toMatch(/^ip_[0-9a-f]{16}$/);
  expect([names.ofClient(client('2001:db8::2')), names.ofRange('2001:db8::/64'), names.ofKey('2001:db8::/64')]).toEqual([name, name, name]);
  expect(names.ofClient(client('203.0.113.7'))).toBe(names.ofRange('203.0.113.7'));
});

test('whoever has the machine finds out what the log called an address on a day', () => {
  const name = open().ofClient(client('2001:db8::1'));
  const at = (address: string, unixMs: number) => pseudonymAt(keyRing, { address, ipv6PrefixLength: 64, unixMs });
  expect(at('2001:db8::77', clock.now())).toBe(name);
  expect(at('2001:db8::77', clock.now() + 86_400_000)).not.toBe(name);
  expect(at('bob', clock.now())).toBeUndefined();
});

test('keys of buckets that are ids stay', () => {
  const id = '019a9c5a-0000-7000-8000-000000000001';
  expect(open().ofKey(id)).toBe(id);
});

test('before the master key is known nobody has a name', () => {
  const names = createClientNames({ configuration: loadConfiguration({ env: {}, cwd: '/' }), clock });
  expect([names.ofClient(client('203.0.113.7')), names.ofRange('203.0.113.7')]).toEqual(['[ip]', '[ip]']);
});

test('where the configuration says so, addresses are written in full', () => {
  const names = open({ LOG_CLIENT_ADDRESSES: 'full' });
  expect([names.ofClient(client('2001:db8::1')), names.ofRange('2001:db8::/64'), names.ofKey('203.0.113.7')]).toEqual([
    '2001:db8::1',
    '2001:db8::/64',
    '203.0.113.7',
  ]);
});

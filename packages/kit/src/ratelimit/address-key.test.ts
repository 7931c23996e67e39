import fc from 'fast-check';
import { isIPv6, SocketAddress } from 'node:net';
import { expect, test } from 'vitest';
import { addressKey } from './index.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['64:ff9b::203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', (address, key) => expect(addressKey(address)).toBe(key));

test.each([
  'unix',
  '',
  ':',
  ':::',
  '1::2::3',
  '1:2:3',
  '1:2:3:4:5:6:7:8:9',
  '::1.2.3',
  '::1.2.3.256',
  '1.2.3.4::',
  'g::1',
  '1:2:3:4:5:6:7::8:9',
])('%s is no address and counts by itself', (text) => expect(addressKey(text)).toBe(text));

test('all ways to write an address are one key, and the last 64 bits change nothing', () => {
  const words = fc.array(fc.integer({ min: 0, max: 0xff_ff }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(words, words, words, (network, host, other) => {
      const write = (tail: readonly number[]) => [...network, ...tail].map((word) => word.toString(16)).join(':');
      const key = addressKey(write(host));
      // As Node shortens it, which is how a socket says it.
      const shortened = new SocketAddress({ address: write(host), family: 'ipv6' }).address;
      if (network.every((word) => word === 0)) return;
      expect(addressKey(shortened)).toBe(key);
      expect(addressKey(write(other))).toBe(key);
      expect(isIPv6(key.slice(0, -3))).toBe(true);
    }),
  );
});

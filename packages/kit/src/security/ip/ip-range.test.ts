import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressKey, parseIp, parseIpRange, readIpRanges } from './index.ts';

const ipv4Ranges = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
const ipv6Ranges = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }));
/** Addresses that lie in a few ranges now and then. */
const nearby = fc.tuple(fc.constantFrom('10.', '203.0.'), fc.ipV4()).map(
  ([start, text]) =>
    start +
    text
      .split('.')
      .slice(start.split('.').length - 1)
      .join('.'),
);

test('a range contains what the platform says that it contains', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Ranges, ipv6Ranges), fc.oneof(fc.ipV4(), fc.ipV6(), nearby), ([start, length], text) => {
      const range = parseIpRange(`${start}/${length}`)!;
      const address = parseIp(text)!;
      const list = new BlockList();
      list.addSubnet(start, length, start.includes(':') ? 'ipv6' : 'ipv4');
      // The platform takes a mapped address for IPv4 in some versions only.
      if (range.family === address.family && !text.includes('ffff:') && !start.includes('ffff:'))
        expect(range.contains(address)).toBe(list.check(text, address.family === 4 ? 'ipv4' : 'ipv6'));
      expect(range.contains(parseIp(start)!)).toBe(true);
      expect(parseIpRange(range.text)!.text).toBe(range.text);
    }),
    { numRuns: 2_000 },
  );
});

test('a range is written as its lowest address and the length that people know', () => {
  expect(parseIpRange('10.1.2.3/8')!.text).toBe('10.0.0.0/8');
  expect(parseIpRange('10.1.2.3/32')!.text).toBe('10.1.2.3');
  expect(parseIpRange('2001:DB8:0:1::5/64')!.text).toBe('2001:db8:0:1::/64');
  expect(parseIpRange('::ffff:10.0.0.0/104')!.text).toBe('10.0.0.0/8');
  expect(parseIpRange('::/0')).toMatchObject({ text: '::/0', family: 6, prefixLength: 0 });
  expect(parseIpRange('0.0.0.0/0')).toMatchObject({ text: '0.0.0.0/0', family: 4, prefixLength: 0 });
});

test('what is no range is refused', () => {
  for (const text of [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/255.0.0.0',
    '::1/1e1',
  ])
    expect(parseIpRange(text), text).toBeUndefined();
});

test('a client is an IPv4 address, or the network of an IPv6 one', () => {
  const key = (text: string, length = 64) => addressKey(parseIp(text)!, length).text;
  expect(key('203.0.113.7')).toBe('203.0.113.7');
  expect(key('2001:db8:0:1:2:3:4:5')).toBe('2001:db8:0:1::/64');
  expect(key('2001:db8:0:1:2:3:4:5', 48)).toBe('2001:db8::/48');
  expect(key('::1')).toBe('::1');
  expect(key('2001:db8:0:1:2:3:4:5', 128)).toBe('2001:db8:0:1:2:3:4:5');
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const address = parseIp(text)!;
      if (address.family === 4 || address.isLoopback) return;
      const neighbour = parseIp(addressKey(address, 64).first.text)!;
      expect(key(text)).toBe(key(neighbour.text));
      expect(addressKey(address, 64).contains(address)).toBe(true);
    }),
  );
});

test('ranges of the options may be named, and a fault says which option and what was received', () => {
  expect(readIpRanges('trustedProxies', ['loopback', '10.0.0.0/8']).map(String)).toEqual(['127.0.0.0/8', '::1', '10.0.0.0/8']);
  expect(readIpRanges('trustedProxies', ['private'])).toHaveLength(4);
  for (const wrong of [['everybody'], ['10.0.0.0/40'], [7], 'loopback', [''], ['toString']])
    expect(() => readIpRanges('trustedProxies', wrong as string[])).toThrow(
      expect.objectContaining({ code: 'configuration_invalid', message: expect.stringMatching(/^trustedProxies must be .*, not /) }),
    );
});

import { isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIp } from './index.ts';

const ipv6Groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 });

function written(groups: readonly number[], upper: boolean): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  return upper ? text.toUpperCase() : text;
}

/** Text that looks like addresses, with every mistake in it. */
const almostAddresses = fc
  .array(
    fc.oneof(fc.constantFrom(':', '::', '.', '0', '00', '255', '256', 'ffff', '12345', 'g', '%eth0', '%', ' ', '::ffff:', '1.2.3.4', '-1')),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

test('takes what the platform takes for an address, and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(almostAddresses, fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 20 })), (text) => {
      // A zone may be of any length to the platform, not to us.
      fc.pre(!(text.includes('%') && text.length > 30));
      expect(parseIp(text) !== undefined, text).toBe(isIP(text) !== 0);
    }),
    { numRuns: 5_000 },
  );
});

test('an address has one text, however it was written', () => {
  fc.assert(
    fc.property(ipv6Groups, fc.boolean(), (groups, upper) => {
      const address = parseIp(written(groups, upper))!;
      const canonical = new SocketAddress({ family: 'ipv6', address: written(groups, upper) }).address;
      expect(parseIp(canonical)!.equals(address)).toBe(true);
      expect(parseIp(address.text)!.equals(address)).toBe(true);
      // inet_ntop writes the last 32 bits of ::/96 in dots; RFC 5952 leaves that to prefixes that are known to hold IPv4.
      if (!canonical.includes('.')) expect(address.text).toBe(canonical);
    }),
    { numRuns: 1_000 },
  );
  fc.assert(fc.property(fc.ipV4(), (text) => parseIp(text)!.text === text));
});

test('an IPv4 address is the same when it is mapped into IPv6', () => {
  for (const text of ['::ffff:203.0.113.7', '::FFFF:cb00:7107', '0:0:0:0:0:ffff:203.0.113.7', '::ffff:203.0.113.7%lo']) {
    expect(parseIp(text)).toMatchObject({ family: 4, text: '203.0.113.7' });
  }
  expect(parseIp('::203.0.113.7')).toMatchObject({ family: 6 });
});

test('forms that other programs read differently are no addresses', () => {
  const forms = [
    '127.1',
    '1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '01.2.3.4',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.256',
    '[::1]',
    '1.2.3.4:80',
  ];
  for (const form of [
    ...forms,
    '',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '::1.2.3',
    '::1.2.3.4:1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7::8',
    '::%',
    '\u0661.2.3.4',
  ])
    expect(parseIp(form), form).toBeUndefined();
});

test('the zone of an address is dropped, and must be short', () => {
  expect(parseIp('fe80::1%eth0')!.text).toBe('fe80::1');
  expect(parseIp(`fe80::1%${'x'.repeat(100)}`)).toBeUndefined();
  expect(parseIp('203.0.113.7%eth0')).toBeUndefined();
});

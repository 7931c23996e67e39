import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClientIpResolver, type ClientIpOptions } from './index.ts';

const proxies = { trustedProxies: ['loopback', '10.0.0.0/8', '2001:db8:ffff::/48'] };
const oneHop = { trustedHops: 1 };
const rfc7239: ClientIpOptions = { ...proxies, header: 'forwarded' };

interface Row {
  readonly what: string;
  readonly options: ClientIpOptions;
  readonly peer: string | undefined;
  readonly header?: string | readonly string[];
  readonly client: string;
  readonly hops: number;
  /** Stands for a proxy or for nobody: never banned. */
  readonly trusted?: boolean;
  readonly fault?: string;
}

const rows: readonly Row[] = [
  { what: 'nobody is trusted by default', options: {}, peer: '127.0.0.1', header: '203.0.113.7', client: '127.0.0.1', hops: 0 },
  {
    what: 'a stranger who claims to be a proxy',
    options: proxies,
    peer: '198.51.100.9',
    header: '203.0.113.7',
    client: '198.51.100.9',
    hops: 0,
  },
  { what: 'one proxy', options: proxies, peer: '10.0.0.1', header: '203.0.113.7', client: '203.0.113.7', hops: 1 },
  { what: 'two proxies', options: proxies, peer: '10.0.0.1', header: '203.0.113.7, 10.0.0.2', client: '203.0.113.7', hops: 2 },
  {
    what: 'a client that wrote addresses before',
    options: proxies,
    peer: '10.0.0.1',
    header: '1.1.1.1, 10.0.0.9, 203.0.113.7',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'a client that claims to be loopback',
    options: proxies,
    peer: '10.0.0.1',
    header: '127.0.0.1, 203.0.113.7',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'a client that ends its header with a comma',
    options: proxies,
    peer: '10.0.0.1',
    header: '1.1.1.1,, 203.0.113.7',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'a header that came twice',
    options: proxies,
    peer: '10.0.0.1',
    header: ['1.1.1.1', '203.0.113.7'],
    client: '203.0.113.7',
    hops: 1,
  },
  { what: 'no header', options: proxies, peer: '10.0.0.1', client: '10.0.0.1', hops: 0, trusted: true },
  { what: 'an empty header', options: proxies, peer: '10.0.0.1', header: '', client: '10.0.0.1', hops: 0, trusted: true },
  { what: 'an empty list', options: proxies, peer: '10.0.0.1', header: [], client: '10.0.0.1', hops: 0, trusted: true },
  {
    what: 'all that is written is trusted',
    options: proxies,
    peer: '10.0.0.1',
    header: '10.0.0.3, 10.0.0.2',
    client: '10.0.0.3',
    hops: 2,
    trusted: true,
  },
  {
    what: 'garbage where a proxy should have written',
    options: proxies,
    peer: '10.0.0.1',
    header: '203.0.113.7, unknown',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'garbage before an address',
    options: proxies,
    peer: '10.0.0.1',
    header: "'; DROP TABLE bans, 203.0.113.7",
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'octal',
    options: proxies,
    peer: '10.0.0.1',
    header: '0313.0.113.7',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'an IPv4 peer on an IPv6 socket',
    options: proxies,
    peer: '::ffff:10.0.0.1',
    header: '203.0.113.7',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'a mapped address in the header',
    options: proxies,
    peer: '10.0.0.1',
    header: '203.0.113.7, ::ffff:10.0.0.2',
    client: '203.0.113.7',
    hops: 2,
  },
  { what: 'a port', options: proxies, peer: '10.0.0.1', header: '203.0.113.7:51234', client: '203.0.113.7', hops: 1 },
  {
    what: 'a port that is none',
    options: proxies,
    peer: '10.0.0.1',
    header: '203.0.113.7:http',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  { what: 'brackets and a port', options: proxies, peer: '10.0.0.1', header: '[2001:db8::7]:51234', client: '2001:db8::7', hops: 1 },
  { what: 'brackets', options: proxies, peer: '10.0.0.1', header: '[2001:db8::7]', client: '2001:db8::7', hops: 1 },
  {
    what: 'brackets around IPv4',
    options: proxies,
    peer: '10.0.0.1',
    header: '[203.0.113.7]',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  { what: 'IPv6 without brackets', options: proxies, peer: '2001:db8:ffff::1', header: '2001:DB8::0007', client: '2001:db8::7', hops: 1 },
  { what: 'tabs and spaces', options: proxies, peer: '10.0.0.1', header: ' \t203.0.113.7\t , 10.0.0.2 ', client: '203.0.113.7', hops: 2 },
  {
    what: 'one element without an end',
    options: proxies,
    peer: '10.0.0.1',
    header: '1'.repeat(16_000),
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'more hops than anybody has',
    options: proxies,
    peer: '10.0.0.1',
    header: Array.from({ length: 2_000 }, () => '10.0.0.2').join(','),
    client: '10.0.0.2',
    hops: 16,
    trusted: true,
    fault: 'too-many-hops',
  },

  { what: 'one hop', options: oneHop, peer: '198.51.100.9', header: '1.1.1.1, 203.0.113.7', client: '203.0.113.7', hops: 1 },
  {
    what: 'two hops, of which the client skipped none',
    options: { trustedHops: 2 },
    peer: '198.51.100.9',
    header: '1.1.1.1, 203.0.113.7, 198.51.100.8',
    client: '203.0.113.7',
    hops: 2,
  },
  { what: 'one hop that wrote nothing', options: oneHop, peer: '198.51.100.9', client: '198.51.100.9', hops: 0, trusted: true },
  { what: 'a unix socket behind one hop', options: oneHop, peer: undefined, header: '203.0.113.7', client: '203.0.113.7', hops: 1 },
  {
    what: 'a unix socket without a hop',
    options: proxies,
    peer: undefined,
    header: '203.0.113.7',
    client: '0.0.0.0',
    hops: 0,
    trusted: true,
  },
  { what: 'a client that calls itself nobody', options: oneHop, peer: undefined, header: '0.0.0.0', client: '0.0.0.0', hops: 1 },

  {
    what: 'RFC 7239',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for=1.1.1.1, for=203.0.113.7;proto=https;by=10.0.0.1',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'RFC 7239, quoted IPv6 with a port',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'proto=https;FOR="[2001:db8::7]:4711"',
    client: '2001:db8::7',
    hops: 1,
  },
  {
    what: 'RFC 7239, two proxies',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for=203.0.113.7, for=10.0.0.2',
    client: '203.0.113.7',
    hops: 2,
  },
  {
    what: 'RFC 7239, a quote that the client left open',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for="1.1.1.1, for=203.0.113.7',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'RFC 7239, an open quote behind a trusted hop',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for="1.1.1.1, for=10.0.0.2',
    client: '10.0.0.2',
    hops: 1,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'RFC 7239, a comma in quotes',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for=1.1.1.1, for=203.0.113.7;host="a,b"',
    client: '203.0.113.7',
    hops: 1,
  },
  {
    what: 'RFC 7239, an escape',
    options: rfc7239,
    peer: '10.0.0.1',
    header: String.raw`for=203.0.113.7;host="a\"b"`,
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'RFC 7239, a host that pretends to end its quotes',
    options: rfc7239,
    peer: '10.0.0.1',
    header: String.raw`for=203.0.113.7;host="a\", for=9.9.9.9;x=\"b"`,
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'RFC 7239, a hidden client',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for=_hidden',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'RFC 7239, for twice',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'for=1.1.1.1;for=203.0.113.7',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'RFC 7239, no for',
    options: rfc7239,
    peer: '10.0.0.1',
    header: 'proto=https',
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
  {
    what: 'RFC 7239, an element without an end',
    options: rfc7239,
    peer: '10.0.0.1',
    header: `for=${';'.repeat(16_000)}`,
    client: '10.0.0.1',
    hops: 0,
    trusted: true,
    fault: 'malformed',
  },
];

describe('the client is the right-most address that is not trusted', () => {
  test.each(rows)('$what', ({ options, peer, header, client, hops, trusted = false, fault }) => {
    const found = createClientIpResolver(options).resolve({ peer, header });
    expect([found.address.text, found.proxies, found.isTrustedProxy, found.fault]).toEqual([client, hops, trusted, fault]);
  });
});

test('whatever a client writes before, what proxies append decides', () => {
  const word = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('"', '\\', 'for=', ';', ',', '127.0.0.1', '10.0.0.9', '[', ']'),
    fc.string({ maxLength: 30 }),
  );
  const spoofed = fc.array(word, { maxLength: 20 }).map((words) => words.join(','));
  const clients = fc.oneof(
    fc.ipV4().filter((text) => !/^(10|127|0)\./.test(text)),
    fc.constantFrom('2001:db8::7', '2400:cb00::1'),
  );
  fc.assert(
    fc.property(spoofed, clients, fc.integer({ min: 0, max: 3 }), fc.boolean(), (lie, client, hops, structured) => {
      const write = (text: string) => (structured ? `for="${text.includes(':') ? `[${text}]` : text}"` : text);
      const chain = [client, ...Array.from({ length: hops }, (_, at) => `10.0.0.${at + 2}`)].map(write).join(', ');
      const header = lie === '' ? chain : `${lie}, ${chain}`;
      const found = createClientIpResolver(structured ? rfc7239 : proxies).resolve({ peer: '10.0.0.1', header });
      expect([found.address.text, found.isTrustedProxy]).toEqual([client, false]);
      const byHops = createClientIpResolver({ trustedHops: hops + 1, header: structured ? 'forwarded' : 'x-forwarded-for' });
      expect(byHops.resolve({ peer: '198.51.100.1', header }).address.text).toBe(client);
    }),
    { numRuns: 1_000 },
  );
});

test('never throws, and never names an untrusted address as that of a proxy', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.array(fc.string())),
      fc.constantFrom('10.0.0.1', '198.51.100.9', 'nonsense', '', undefined),
      fc.boolean(),
      (header, peer, structured) => {
        const resolver = createClientIpResolver(structured ? rfc7239 : proxies);
        const found = resolver.resolve({ peer, header });
        if (peer === '198.51.100.9') expect(found.address.text).toBe(peer);
        expect(found.isTrustedProxy).toBe(found.address.text === '0.0.0.0' || resolver.isTrusted(found.address));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('no header is asked for where nobody is trusted', () => {
  expect(createClientIpResolver().header).toBeUndefined();
  expect(createClientIpResolver(proxies).header).toBe('x-forwarded-for');
  expect(createClientIpResolver(rfc7239).header).toBe('forwarded');
});

test('limits and bans go by the address, or by the network of an IPv6 one', () => {
  const resolve = (peer: string, options: ClientIpOptions = {}) =>
    createClientIpResolver(options).resolve({ peer, header: undefined }).key.text;
  expect(resolve('203.0.113.7')).toBe('203.0.113.7');
  expect(resolve('2001:db8::7')).toBe('2001:db8::/64');
  expect(resolve('2001:db8::7', { ipv6PrefixLength: 56 })).toBe('2001:db8::/56');
});

test('options that trust by mistake are refused', () => {
  const wrong: readonly object[] = [
    { trustedProxies: ['*'] },
    { trustedProxies: '10.0.0.0/8' },
    { trustedHops: -1 },
    { trustedHops: 17 },
    { trustedHops: 1, trustedProxies: ['loopback'] },
    { header: 'x-real-ip' },
    { ipv6PrefixLength: 16 },
    { trustedProxy: ['loopback'] },
  ];
  for (const options of wrong)
    expect(() => createClientIpResolver(options)).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
});

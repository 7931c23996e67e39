import { checkIpv6PrefixLength, RangeMap, readIpRanges } from '../ip/index.ts';
import { checkNumber, optionFault, withDefaults } from '../options.ts';

export interface ClientIpOptions {
  /**
   * Whose word is taken for where a request came from: addresses, CIDR ranges, and the words `loopback`, `private` (RFC 1918 and RFC 4193)
   * and `linklocal`. Name your proxies and nobody else: a client that stands in one of these ranges can claim any address. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Instead of ranges: how many proxies stand before this process, whatever their addresses. Only where nobody can reach the process past
   * them: one who does chooses the address that is seen. Default 0.
   */
  readonly trustedHops?: number;
  /**
   * The header that your proxies write. The other is never read: proxies pass on what they do not know, so a client would write it itself.
   * Default `x-forwarded-for`.
   */
  readonly header?: ForwardingHeader;
  /** Bits of an IPv6 address that make one client. Default 64; smaller where one customer of a provider has more than a /64. */
  readonly ipv6PrefixLength?: number;
}

export type ForwardingHeader = 'x-forwarded-for' | 'forwarded';

export const clientIpDefaults = Object.freeze({
  trustedProxies: Object.freeze([]) as readonly string[],
  trustedHops: 0,
  header: 'x-forwarded-for' as ForwardingHeader,
  ipv6PrefixLength: 64,
});

/** A chain of more proxies is a fault of somebody, and would be work without end. */
export const mostHops = 16;

export function readClientIpOptions(given: ClientIpOptions) {
  const options = withDefaults<ClientIpOptions>('the client IP', clientIpDefaults, given);
  const { trustedHops, header, ipv6PrefixLength } = options;
  checkNumber('trustedHops', trustedHops, { min: 0, max: mostHops, whole: true });
  if (header !== 'x-forwarded-for' && header !== 'forwarded') throw optionFault('header', "'x-forwarded-for' or 'forwarded'", header);
  const trusted = new RangeMap<true>();
  for (const range of readIpRanges('trustedProxies', options.trustedProxies)) trusted.set(range, true);
  if (trusted.size > 0 && trustedHops > 0) throw optionFault('trustedHops', '0 where trustedProxies are named', trustedHops);
  return { trusted, trustedHops, header, ipv6PrefixLength: checkIpv6PrefixLength(ipv6PrefixLength) };
}

import { addressKey, clientIpDefaults, parseIp } from '../security/index.ts';

/**
 * Whose bucket a request is by its address (`request.ip`, so mind Fastify's `trustProxy`): an IPv4 address by itself, an IPv6 address by its
 * /64, since whoever has one of those has all of them.
 */
export function clientKey({ ip }: { readonly ip: string }): string {
  const address = parseIp(ip);
  return address === undefined ? ip : addressKey(address, clientIpDefaults.ipv6PrefixLength).text;
}

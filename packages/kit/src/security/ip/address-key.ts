import { checkNumber } from '../options.ts';
import type { IpAddress } from './ip-address.ts';
import { IpRange } from './ip-range.ts';

/**
 * What counts as one client: an IPv4 address, and of IPv6 the network of `ipv6PrefixLength` bits, since whoever has one address of a /64
 * has all 2⁶⁴ of them (but for ::1, which has no neighbours). Limits, detectors and automatic bans go by it.
 */
export function addressKey(address: IpAddress, ipv6PrefixLength: number): IpRange {
  return new IpRange(address, address.family === 4 || address.isLoopback ? 128 : ipv6PrefixLength);
}

export function checkIpv6PrefixLength(value: unknown): number {
  return checkNumber('ipv6PrefixLength', value, { min: 32, max: 128, whole: true });
}

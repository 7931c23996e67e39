export { IpAddress, parseIp } from './ip-address.ts';
export { IpRange, parseIpRange, readIpRanges } from './ip-range.ts';
export { RangeMap } from './range-map.ts';
export { addressKey, checkIpv6PrefixLength } from './address-key.ts';

import { optionFault } from '../options.ts';
import { parseIp, type IpAddress } from './ip-address.ts';

/** Where the 32 bits of IPv4 begin in the 128. */
const ipv4Offset = 96;

/** All addresses that begin alike; a single one when `length` is 128. */
export class IpRange {
  /** The lowest: bits after `length` are 0. */
  readonly first: IpAddress;
  /** Of the 128 bits: `10.0.0.0/8` has 104. */
  readonly length: number;
  #text: string | undefined;

  constructor(address: IpAddress, length: number) {
    this.first = address.masked(length);
    this.length = length;
  }

  get family(): 4 | 6 {
    return this.length >= ipv4Offset ? this.first.family : 6;
  }

  /** As people write it: 8 of `10.0.0.0/8`. */
  get prefixLength(): number {
    return this.family === 4 ? this.length - ipv4Offset : this.length;
  }

  /** Canonical: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/64`. */
  get text(): string {
    return (this.#text ??= this.length === 128 ? this.first.text : `${this.first.text}/${this.prefixLength}`);
  }

  toString(): string {
    return this.text;
  }

  contains(address: IpAddress): boolean {
    return address.masked(this.length).equals(this.first);
  }

  containsRange(other: IpRange): boolean {
    return other.length >= this.length && this.contains(other.first);
  }
}

/** An address or CIDR range. Bits after the prefix are dropped: `10.1.2.3/8` is `10.0.0.0/8`. `undefined` for anything else. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) {
    const address = parseIp(text);
    return address && new IpRange(address, 128);
  }
  const written = text.slice(0, slash);
  const digits = text.slice(slash + 1);
  const address = parseIp(written);
  if (!address || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const prefix = Number(digits);
  // `::ffff:10.0.0.0/104` is a prefix of the 128 bits; `10.0.0.0/8` one of its 32.
  if (written.includes(':')) return prefix <= 128 ? new IpRange(address, prefix) : undefined;
  return prefix <= 32 ? new IpRange(address, ipv4Offset + prefix) : undefined;
}

/** Names for ranges that people would otherwise copy out of RFCs. */
const namedRanges: Readonly<Record<string, readonly string[]>> = Object.freeze({
  loopback: ['127.0.0.0/8', '::1'],
  /** RFC 1918, and the unique local addresses of RFC 4193. */
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
});

/** Addresses, CIDR ranges, and the words `loopback`, `private`, `linklocal`. Throws `configuration_invalid` that names the option. */
export function readIpRanges(option: string, texts: readonly string[]): readonly IpRange[] {
  if (!Array.isArray(texts)) throw optionFault(option, 'a list of addresses and CIDR ranges', texts);
  return texts.flatMap((text: unknown) => {
    const named = typeof text === 'string' && Object.hasOwn(namedRanges, text) ? namedRanges[text]! : [text];
    return named.map((each) => {
      const range = typeof each === 'string' ? parseIpRange(each) : undefined;
      if (!range) throw optionFault(option, 'addresses, CIDR ranges, loopback, private or linklocal', text);
      return range;
    });
  });
}

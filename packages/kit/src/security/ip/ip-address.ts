/**
 * An IP address as 128 bits in four signed 32-bit words, an IPv4 one as `::ffff:0:0/96`, so that one address has one form however it was
 * written: `::ffff:203.0.113.7` is `203.0.113.7`. Zones (`fe80::1%eth0`) are dropped: they name an interface of this machine.
 */
export class IpAddress {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  #text: string | undefined;

  constructor(a: number, b: number, c: number, d: number) {
    this.a = a | 0;
    this.b = b | 0;
    this.c = c | 0;
    this.d = d | 0;
  }

  get family(): 4 | 6 {
    return this.a === 0 && this.b === 0 && this.c === mappedPrefix ? 4 : 6;
  }

  /** 127.0.0.0/8 or ::1. */
  get isLoopback(): boolean {
    return this.family === 4 ? this.d >>> 24 === 127 : this.a === 0 && this.b === 0 && this.c === 0 && this.d === 1;
  }

  /** Canonical: dotted decimal, or RFC 5952. */
  get text(): string {
    return (this.#text ??= this.family === 4 ? formatIpv4(this.d) : formatIpv6(this));
  }

  toString(): string {
    return this.text;
  }

  /** The first `length` of the 128 bits, the rest 0. */
  masked(length: number): IpAddress {
    if (length >= 128) return this;
    return new IpAddress(this.a & mask(length), this.b & mask(length - 32), this.c & mask(length - 64), this.d & mask(length - 96));
  }

  equals(other: IpAddress): boolean {
    return this.d === other.d && this.c === other.c && this.b === other.b && this.a === other.a;
  }
}

const mappedPrefix = 0xffff;
const longestIpv6 = 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255'.length;
/** Names of interfaces are shorter; without a bound a header could have us look for the end of anything. */
const longestZone = 32;

/**
 * Strict, as `inet_pton` is: no octal, hexadecimal or short forms of IPv4, which ipaddr.js takes and which other programs on the way
 * read differently. `undefined` for whatever is not an address. Bounded work however long the text.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > longestIpv6 + 1 + longestZone) return undefined;
  const words = text.includes(':') ? readIpv6(text) : undefined;
  if (words) return new IpAddress(words[0]!, words[1]!, words[2]!, words[3]!);
  const ipv4 = readIpv4(text, 0, text.length);
  return ipv4 === invalid ? undefined : new IpAddress(0, 0, mappedPrefix, ipv4);
}

/** No uint32. */
const invalid = -1;

function readIpv4(text: string, from: number, to: number): number {
  if (to - from < 7 || to - from > 15) return invalid;
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === 46) {
      if (octet < 0 || ++dots > 3) return invalid;
      value = value * 256 + octet;
      octet = -1;
    } else {
      const digit = code - 48;
      // A leading zero is octal to some readers.
      if (digit < 0 || digit > 9 || octet === 0) return invalid;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return invalid;
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : invalid;
}

/** Filled by one call and read before the next: an array for each would be half the cost of reading an address. */
const groups = new Uint16Array(8);
const scratch = new Int32Array(4);

function readIpv6(text: string): Int32Array | undefined {
  const zone = text.indexOf('%');
  if (zone >= 0 && (text.length - zone > longestZone || !/^[0-9A-Za-z.:-]+$/.test(text.slice(zone + 1)))) return undefined;
  const end = zone < 0 ? text.length : zone;
  if (end > longestIpv6) return undefined;
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === 58) {
    if (text.charCodeAt(1) !== 58) return undefined;
    gap = 0;
    at = 2;
  }
  while (at < end) {
    if (count === 8) return undefined;
    const start = at;
    let value = 0;
    let code = 0;
    for (; at < end && (code = text.charCodeAt(at)) !== 58 && code !== 46; at++) {
      const digit = hexDigit(code);
      if (digit < 0 || at - start === 4) return undefined;
      value = value * 16 + digit;
    }
    if (at < end && code === 46) {
      const ipv4 = count > 6 ? invalid : readIpv4(text, start, end);
      if (ipv4 === invalid) return undefined;
      groups[count++] = ipv4 >>> 16;
      groups[count++] = ipv4 & 0xffff;
      break;
    }
    if (at === start) return undefined;
    groups[count++] = value;
    if (at === end) break;
    at++;
    if (at === end) return undefined;
    if (text.charCodeAt(at) === 58) {
      if (gap >= 0) return undefined;
      gap = count;
      at++;
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return undefined;
  if (gap >= 0) {
    groups.copyWithin(8 - (count - gap), gap, count);
    groups.fill(0, gap, 8 - (count - gap));
  }
  for (let word = 0; word < 4; word++) scratch[word] = (groups[2 * word]! << 16) | groups[2 * word + 1]!;
  return scratch;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function mask(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
}

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatIpv6({ a, b, c, d }: IpAddress): string {
  const parts = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff];
  let runAt = -1;
  let runLength = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && parts[end] === 0) end++;
    if (end - at > runLength) [runAt, runLength] = [at, end - at];
    if (end > at) at = end;
  }
  let text = '';
  for (let at = 0; at < 8; at++) {
    if (at === runAt) {
      text += '::';
      at += runLength - 1;
    } else {
      text += (text === '' || text.endsWith(':') ? '' : ':') + parts[at]!.toString(16);
    }
  }
  return text;
}

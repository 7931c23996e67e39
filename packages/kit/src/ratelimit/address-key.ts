import { isIPv6 } from 'node:net';

/**
 * The key of a client's address: whose bucket it is. An IPv4 address counts by itself; an IPv6 address by its first 64 bits, since whoever
 * has one has all of those (RFC 6177) and would never be limited otherwise. IPv4 in IPv6 (`::ffff:0:0/96`, and `64:ff9b::/96` of a
 * translator, RFC 6052) is IPv4. What is no address is its own key.
 */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [a, b, c, d, e, f, g, h] = groupsOf(address);
  const middle = c === 0 && d === 0 && e === 0;
  if (middle && ((a === 0 && b === 0 && f === 0xff_ff) || (a === 0x64 && b === 0xff_9b && f === 0)))
    return `${g >> 8}.${g & 0xff}.${h >> 8}.${h & 0xff}`;
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`;
}

type Groups = readonly [number, number, number, number, number, number, number, number];

/** Of what is known to be an IPv6 address. */
function groupsOf(address: string): Groups {
  const zone = address.indexOf('%');
  const [head = '', tail] = (zone < 0 ? address : address.slice(0, zone)).split('::');
  const first = readWords(head);
  const last = tail === undefined ? [] : readWords(tail);
  const gap = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return [...first, ...gap, ...last] as unknown as Groups;
}

function readWords(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((word) => {
    if (!word.includes('.')) return [Number.parseInt(word, 16)];
    const [a, b, c, d] = word.split('.').map(Number) as [number, number, number, number];
    return [a * 256 + b, c * 256 + d];
  });
}

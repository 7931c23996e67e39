import { parseIpRange } from '@holdfast/kit/security';

/** What is written of it: https://maxmind.github.io/MaxMind-DB/, version 2.0. */
type Value = string | number | bigint | readonly string[] | { readonly [key: string]: Value };

type Branch = [Branch | Value | undefined, Branch | Value | undefined];

export interface MmdbFileOptions {
  readonly ipVersion?: 4 | 6;
  readonly databaseType?: string;
  readonly builtAtSeconds?: number;
}

/** The bytes of a database that holds these records, written from the format's description and not by the library that reads it. */
export function mmdbFile(records: Readonly<Record<string, Value>>, options: MmdbFileOptions = {}): Uint8Array {
  const { ipVersion = 6, databaseType = 'Test-Country', builtAtSeconds = 1_767_225_600 } = options;
  const root: Branch = [undefined, undefined];
  for (const [text, value] of Object.entries(records)) insert(root, bitsOf(text, ipVersion), value);

  const branches: Branch[] = [root];
  for (let at = 0; at < branches.length; at++) for (const side of branches[at]!) if (isBranch(side)) branches.push(side);
  const numbers = new Map(branches.map((branch, at) => [branch, at]));
  const data: Buffer[] = [];
  let dataBytes = 0;
  const tree = Buffer.alloc(branches.length * 6);
  const record = (side: Branch | Value | undefined): number => {
    if (side === undefined) return branches.length;
    if (isBranch(side)) return numbers.get(side)!;
    const bytes = encode(side);
    data.push(bytes);
    dataBytes += bytes.length;
    return branches.length + 16 + dataBytes - bytes.length;
  };
  for (const [at, [zero, one]] of branches.entries()) {
    tree.writeUIntBE(record(zero), at * 6, 3);
    tree.writeUIntBE(record(one), at * 6 + 3, 3);
  }
  const metadata = Buffer.concat([
    mapHead(9),
    ...pair('node_count', uint(6, branches.length)),
    ...pair('record_size', uint(5, 24)),
    ...pair('ip_version', uint(5, ipVersion)),
    ...pair('database_type', encode(databaseType)),
    ...pair('languages', encode(['en'])),
    ...pair('binary_format_major_version', uint(5, 2)),
    ...pair('binary_format_minor_version', uint(5, 0)),
    ...pair('build_epoch', encode(BigInt(builtAtSeconds))),
    ...pair('description', encode({ en: 'For tests' })),
  ]);
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from('\xAB\xCD\xEFMaxMind.com', 'latin1'), metadata]);
}

function isBranch(side: Branch | Value | undefined): side is Branch {
  return Array.isArray(side) && side.length === 2 && typeof side[0] !== 'string';
}

function insert(root: Branch, bits: readonly (0 | 1)[], value: Value): void {
  let branch = root;
  for (const bit of bits.slice(0, -1)) {
    const next: Branch = isBranch(branch[bit]) ? branch[bit] : [undefined, undefined];
    branch[bit] = next;
    branch = next;
  }
  branch[bits.at(-1)!] = value;
}

/** IPv4 stands in a tree of IPv6 behind 96 zeros. */
function bitsOf(text: string, ipVersion: 4 | 6): (0 | 1)[] {
  const { first, family, prefixLength } = parseIpRange(text)!;
  const words = family === 4 ? [first.d] : [first.a, first.b, first.c, first.d];
  const own = words.flatMap((word) => Array.from({ length: 32 }, (_, at) => ((word >>> (31 - at)) & 1) as 0 | 1)).slice(0, prefixLength);
  return family === 4 && ipVersion === 6 ? [...Array.from({ length: 96 }, () => 0 as const), ...own] : own;
}

function pair(key: string, value: Buffer): [Buffer, Buffer] {
  return [encode(key), value];
}

function mapHead(size: number): Buffer {
  return Buffer.from([(7 << 5) | size]);
}

function uint(type: 5 | 6, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  const size = type === 5 ? 2 : 4;
  return Buffer.concat([Buffer.from([(type << 5) | size]), bytes.subarray(4 - size)]);
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    if (bytes.length > 28) return Buffer.concat([Buffer.from([(2 << 5) | 29, bytes.length - 29]), bytes]);
    return Buffer.concat([Buffer.from([(2 << 5) | bytes.length]), bytes]);
  }
  if (typeof value === 'number') return uint(6, value);
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return Buffer.concat([Buffer.from([8, 2]), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from([value.length, 4]), ...value.map(encode)]);
  const entries = Object.entries(value as Readonly<Record<string, Value>>);
  return Buffer.concat([mapHead(entries.length), ...entries.flatMap(([key, each]) => pair(key, encode(each)))]);
}

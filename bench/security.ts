/**
 * What it costs to know where a request comes from and whether it is shut out: `npm run bench:security`. Writes bench/results/security.md.
 * All subjects take turns in each round, so that what else the machine does meets all alike.
 */
import { writeFile } from 'node:fs/promises';
import { BlockList } from 'node:net';
import { availableParallelism } from 'node:os';
import proxyAddr from '@fastify/proxy-addr';
import {
  createAbuseWatch,
  createBanBook,
  createClientIpResolver,
  createMemoryBanStore,
  parseIp,
  parseIpRange,
  type BanBook,
} from '@holdfast/kit/security';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { show, spread } from './support/statistics.ts';

const rounds = 11;
const perRound = 50_000;
const addressCount = 10_000;

// Strings that were just cut out of others, as a socket or a header gives them; literals would have their hash already.
const cut = (text: string): string => `${text} `.slice(0, -1);
const ipv4 = Array.from({ length: addressCount }, (_, at) => cut(`203.${at % 7}.${at >> 8}.${at & 255}`));
const ipv6 = Array.from({ length: addressCount }, (_, at) =>
  cut(`2001:db8:${(at % 97).toString(16)}:${at.toString(16)}::${(at % 997).toString(16)}`),
);
const addresses4 = ipv4.map((text) => parseIp(text)!);
const proxies = ['loopback', 'private'];

const nobody = createClientIpResolver();
const trusting = createClientIpResolver({ trustedProxies: proxies });
const structured = createClientIpResolver({ trustedProxies: proxies, header: 'forwarded' });
const peerTrust = proxyAddr.compile(['loopback', 'uniquelocal']);
const empty = await book(0);
const full = await book(10_000);
const blocked = new BlockList();
for (let at = 0; at < addressCount; at++) block(bannedRange(at));

const unbanned = { ban: () => undefined };
// Beside those that are banned, where the look-up has the farthest to go.
const neighbours4 = ipv4.map((_, at) => parseIp(`198.18.${at >> 8}.${(at & 254) + 1}`)!);
const neighbours6 = ipv6.map((_, at) => parseIp(`2001:db8:ffff:${(at & 0xfffe).toString(16)}::1`)!);
const neighbourTexts4 = neighbours4.map(({ text }) => cut(text));
const neighbourTexts6 = neighbours6.map(({ text }) => cut(text));
const bannedAddresses = Array.from({ length: addressCount }, (_, at) => parseIpRange(bannedRange(at))!.first);
const watch = createAbuseWatch({ clock: systemClock, random: systemRandom, bans: unbanned });
const clients = addresses4.map((address) => nobody.resolve({ peer: address.text, header: undefined }));

const clients6 = ipv6.map((text) => nobody.resolve({ peer: text, header: undefined }));

interface Case {
  readonly what: string;
  readonly aim?: number;
  run(index: number): unknown;
}

const cases: readonly Case[] = [
  {
    what: 'client IP, nobody trusted, IPv4',
    aim: 1_000,
    run: (at) => nobody.resolve({ peer: ipv4[at % addressCount]!, header: undefined }),
  },
  {
    what: 'client IP, nobody trusted, IPv6',
    aim: 1_000,
    run: (at) => nobody.resolve({ peer: ipv6[at % addressCount]!, header: undefined }),
  },
  { what: 'and its key, IPv6', run: (at) => nobody.resolve({ peer: ipv6[at % addressCount]!, header: undefined }).key.text },
  { what: 'client IP behind one proxy, IPv4', run: (at) => trusting.resolve({ peer: '10.0.0.1', header: ipv4[at % addressCount]! }) },
  { what: 'client IP behind one proxy, IPv6', run: (at) => trusting.resolve({ peer: '10.0.0.1', header: ipv6[at % addressCount]! }) },
  {
    what: 'client IP behind one proxy, RFC 7239',
    run: (at) => structured.resolve({ peer: '10.0.0.1', header: `for=${ipv4[at % addressCount]!};proto=https` }),
  },
  {
    what: '@fastify/proxy-addr behind one proxy, IPv4',
    run: (at) => proxyAddr(request('10.0.0.1', ipv4[at % addressCount]!), peerTrust),
  },
  {
    what: '@fastify/proxy-addr behind one proxy, IPv6',
    run: (at) => proxyAddr(request('10.0.0.1', ipv6[at % addressCount]!), peerTrust),
  },
  { what: 'ban check, no bans', aim: 500, run: (at) => empty.check(addresses4[at % addressCount]!) },
  { what: 'ban check, 10,000 bans, IPv4 passes', aim: 1_000, run: (at) => full.check(neighbours4[at % addressCount]!) },
  { what: 'ban check, 10,000 bans, IPv6 passes', aim: 1_000, run: (at) => full.check(neighbours6[at % addressCount]!) },
  { what: 'ban check, 10,000 bans, refused', aim: 1_000, run: (at) => full.check(bannedAddresses[at % addressCount]!) },
  { what: 'BlockList of node:net, the same 10,000, IPv4 passes', run: (at) => blocked.check(neighbourTexts4[at % addressCount]!, 'ipv4') },
  { what: 'BlockList of node:net, the same 10,000, IPv6 passes', run: (at) => blocked.check(neighbourTexts6[at % addressCount]!, 'ipv6') },
  { what: 'an accepted key', run: (at) => watch.keyAccepted(clients[at % addressCount]!) },
  {
    what: 'a refused key',
    run: (at) => watch.keyRefused({ client: clients[at % addressCount]!, credential: 'hf_0123456789abcdef0123456789abcdef' }),
  },
  {
    what: 'an unknown path, IPv4',
    run: (at) => watch.notFound({ client: clients[at % addressCount]!, path: '/api/v2/things/7', credential: 'absent' }),
  },
  {
    what: 'an unknown path, IPv6 (client and network)',
    run: (at) => watch.notFound({ client: clients6[at % addressCount]!, path: '/api/v2/things/7', credential: 'absent' }),
  },
];

const found = cases.map((): number[] => []);
for (let round = -2; round < rounds; round++) {
  for (const [at, { run }] of cases.entries()) {
    const before = process.cpuUsage();
    for (let index = 0; index < perRound; index++) run(index);
    const { user, system } = process.cpuUsage(before);
    // The first two are for the compiler.
    if (round >= 0) found[at]!.push(((user + system) * 1_000) / perRound);
  }
}
const missed: string[] = [];
const rows = cases.map(({ what, aim }, at) => {
  const numbers = spread(found[at]!);
  if (aim !== undefined && numbers.median > aim) missed.push(what);
  return `| ${what} | ${show(numbers, 0)} | ${aim === undefined ? '' : `≤ ${aim.toLocaleString('en')}`} |`;
});

const flood = floodOfAddresses();
const report = `# Addresses and bans: time and memory

${rounds} rounds of ${perRound.toLocaleString('en')}, all subjects in turn; ${addressCount.toLocaleString('en')} addresses; Node ${process.version}, ${availableParallelism()} cores.
Nanoseconds of processor time, median (lowest–highest round): other programs run on the same cores and take the caches with them.
The 10,000 bans are 4,500 IPv4 addresses, 4,500 IPv6 networks of 64 bits and 1,000 IPv4 ranges of 17 to 28 bits. @fastify/proxy-addr, which is what Fastify's \`trustProxy\` runs, gives a text and no key;
BlockList reads the text, which is in our number for the client IP, knows no ends and forgets nothing.

| what | ns | aim |
|---|---|---|
${rows.join('\n')}

## Memory

A million IPv4 addresses ask for one unknown path each: ${flood.nanoseconds} ns each, and ${flood.mebibytes} MiB at the end, for the 50,000 that are remembered (${flood.bytes} bytes each).
A ban in the book and in the memory store: ${await bytesPerBan()} bytes.
`;
process.stdout.write(report);
await writeFile(new URL('results/security.md', import.meta.url), report);
if (missed.length > 0) {
  process.stderr.write(`missed: ${missed.join(', ')}\n`);
  process.exitCode = 1;
}
process.exit();

function bannedRange(at: number): string {
  if (at % 10 === 9) return `172.${16 + (at % 16)}.${at % 251}.0/${17 + (at % 12)}`;
  return at % 2 === 0 ? `198.18.${at >> 8}.${at & 255}` : `2001:db8:ffff:${at.toString(16)}::/64`;
}

async function book(count: number): Promise<BanBook> {
  const made = createBanBook({ store: createMemoryBanStore(), clock: systemClock });
  await made.start();
  for (let at = 0; at < count; at++) made.ban(parseIpRange(bannedRange(at))!, 'endpoint_scanning');
  return made;
}

function block(text: string): void {
  const range = parseIpRange(text)!;
  blocked.addSubnet(range.first.text, range.prefixLength, range.family === 4 ? 'ipv4' : 'ipv6');
}

function request(remoteAddress: string, forwarded: string) {
  return { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } } as never;
}

function floodOfAddresses(): { nanoseconds: number; mebibytes: string; bytes: number } {
  const count = 1_000_000;
  const before = heap();
  const watch = createAbuseWatch({ clock: systemClock, random: systemRandom, bans: unbanned });
  const cpu = process.cpuUsage();
  for (let at = 0; at < count; at++) {
    const client = nobody.resolve({ peer: `100.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, header: undefined });
    watch.notFound({ client, path: `/things/${at}`, credential: 'absent' });
  }
  const { user, system } = process.cpuUsage(cpu);
  const bytes = heap() - before;
  // Keeps it from being collected before it is measured.
  watch.keyAccepted(clients[0]!);
  return {
    nanoseconds: Math.round(((user + system) * 1_000) / count),
    mebibytes: (bytes / 1_048_576).toFixed(1),
    bytes: Math.round(bytes / 50_000),
  };
}

async function bytesPerBan(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = heap();
  const measured = await book(10_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const bytes = (heap() - before) / 10_000;
  if (measured.count() === 0) throw new Error('nothing is banned');
  return Math.round(bytes);
}

/** Needs --expose-gc. */
function heap(): number {
  for (let again = 0; again < 4; again++) (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

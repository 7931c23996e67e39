import fc from 'fast-check';
import { createFakeClock, createSeededRandom } from '../../testing/index.ts';
import { afterEach, expect, test } from 'vitest';
import { createBanBook, createMemoryBanStore } from '../bans/index.ts';
import { createClientIpResolver } from '../client-ip/index.ts';
import { parseIp } from '../ip/index.ts';
import { abuseDetected, createAbuseWatch, type AbuseDetected, type AbuseWatchOptions, type CredentialState } from './index.ts';

const minute = 60_000;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function start(given: Partial<AbuseWatchOptions> = {}) {
  const clock = createFakeClock();
  const bans = createBanBook({ store: createMemoryBanStore(), clock, neverBanned: ['10.0.0.0/8'] });
  const watch = createAbuseWatch({ clock, random: createSeededRandom(1), bans, ...given });
  const resolver = createClientIpResolver({ trustedProxies: ['10.0.0.0/8'] });
  const from = (address: string) => resolver.resolve({ peer: address, header: undefined });
  const isBanned = (address: string) => bans.check(parseIp(address)!) !== undefined;
  const told: AbuseDetected[] = [];
  ends.push(
    abuseDetected.subscribe((message) => void told.push(message)),
    () => void bans.close(),
  );
  const scan = (address: string, count: number, prefix = '/x', credential: CredentialState = 'absent', userAgent?: string) => {
    for (let at = 0; at < count; at++) watch.notFound({ client: from(address), path: prefix + at, credential, userAgent });
  };
  return { clock, bans, watch, from, isBanned, told, scan };
}

test('a scanner is banned, and it is told with its ban', () => {
  const { scan, isBanned, told } = start();
  scan('203.0.113.7', 21);
  expect(isBanned('203.0.113.7')).toBe(true);
  expect(told).toMatchObject([{ kind: 'endpoint_scanning', ban: { range: '203.0.113.7', reason: 'endpoint_scanning' } }]);
});

test('whoever changes addresses within an IPv6 network is one client, and banned as one', () => {
  const { watch, from, isBanned } = start();
  for (let at = 0; at < 21; at++)
    watch.notFound({ client: from(`2001:db8:0:1::${at.toString(16)}`), path: `/x${at}`, credential: 'absent' });
  expect(isBanned('2001:db8:0:1:ffff::')).toBe(true);
  expect(isBanned('2001:db8:0:2::')).toBe(false);
});

test('whoever changes IPv6 networks within a site is banned with the site', () => {
  const { watch, from, bans, isBanned, told } = start();
  for (let at = 0; at < 201; at++)
    watch.notFound({ client: from(`2001:db8:7:${(at % 100).toString(16)}::1`), path: `/x${at}`, credential: 'absent' });
  expect(told).toMatchObject([{ kind: 'endpoint_scanning', client: '2001:db8:7::/48', ban: { range: '2001:db8:7::/48' } }]);
  for (let at = 0; at < 101; at++) watch.keyRefused({ client: from(`2001:db8:8:${at.toString(16)}::1`), credential: `key ${at}` });
  for (let at = 0; at < 201; at++) watch.signInBegins(from(`2001:db8:9:${at.toString(16)}::1`), `account ${at}`).failed();
  expect(
    bans
      .list()
      .bans.map(({ range, reason }) => `${range} ${reason}`)
      .sort(),
  ).toEqual(['2001:db8:7::/48 endpoint_scanning', '2001:db8:8::/48 key_guessing', '2001:db8:9::/48 sign_in_guessing']);
  expect([isBanned('2001:db8:7:ffff::'), isBanned('2001:db8:a::1')]).toEqual([true, false]);
});

test('a site of which each client does little is left alone, and every site where its factor is Infinity', () => {
  const quiet = start();
  for (let at = 0; at < 5_000; at++) {
    const client = quiet.from(`2001:db8:7:${at.toString(16)}::1`);
    quiet.watch.notFound({ client, path: `/wrong-${at % 60}`, credential: 'absent' });
    quiet.watch.keyRefused({ client, credential: `old key ${at % 60}` });
    quiet.watch.signInBegins(client, `person ${at}`).succeeded();
  }
  expect(quiet.bans.count()).toBe(0);
  const off = start({ network: { factor: Number.POSITIVE_INFINITY } });
  for (let at = 0; at < 5_000; at++)
    off.watch.notFound({ client: off.from(`2001:db8:7:${at.toString(16)}::1`), path: `/x${at}`, credential: 'absent' });
  expect(off.bans.count()).toBe(0);
});

test('an IPv4 client has no network, and a sign-in is told once', () => {
  const { watch, from, bans, scan } = start();
  for (let at = 0; at < 250; at++) scan(`203.0.113.${at}`, 19, `/x${at}-`);
  expect(bans.count()).toBe(0);
  const attempt = watch.signInBegins(from('2001:db8:9::1'), 'ann');
  for (let again = 0; again < 500; again++) attempt.failed();
  expect(bans.count()).toBe(0);
});

test('wrong options of networks are refused', () => {
  for (const network of [{ factor: 0 }, { ipv6PrefixLength: 8 }, { prefix: 48 }])
    expect(() => start({ network: network as object })).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
});

test('nothing that is done with a good key bans, nor with a key that nobody looked at where programs call', () => {
  const { scan, isBanned, told } = start();
  scan('203.0.113.7', 1_000, '/.git/', 'accepted', 'sqlmap');
  scan('203.0.113.7', 1_000, '/v1/files/file-', 'unchecked');
  scan('203.0.113.7', 1_000, '/v1/.env', 'accepted', 'nuclei');
  expect([isBanned('203.0.113.7'), told.length]).toEqual([false, 0]);
  scan('203.0.113.7', 21, '/v1/files/file-', 'refused');
  expect(isBanned('203.0.113.7')).toBe(true);
});

test('loopback and trusted proxies are never banned, whatever comes through them; it is told all the same', () => {
  const { scan, watch, from, isBanned, told } = start();
  for (const address of ['127.0.0.1', '::1', '10.0.0.1']) {
    scan(address, 100);
    for (let at = 0; at < 100; at++) watch.keyRefused({ client: from(address), credential: `key ${at}` });
    for (let at = 0; at < 100; at++) watch.signInBegins(from(address), `account ${at}`).failed();
    expect(isBanned(address), address).toBe(false);
  }
  expect(told.length).toBeGreaterThan(0);
  expect(told.every(({ ban }) => ban === undefined)).toBe(true);
});

test('nobody is refused a sign-in for what came through a proxy or from loopback', () => {
  const { watch, from } = start();
  for (const address of ['10.0.0.1', '127.0.0.1', '::1']) {
    for (let at = 0; at < 50; at++) watch.signInBegins(from(address), 'ann').failed();
    expect(watch.signInBegins(from(address), 'ann'), address).toMatchObject({ allowed: true, delayMs: 2_000 });
  }
});

test('a proxy that is known by its place alone is never banned', () => {
  const { watch, bans, told } = start();
  const client = createClientIpResolver({ trustedHops: 1 }).resolve({ peer: '198.51.100.9', header: undefined });
  for (let at = 0; at < 21; at++) watch.notFound({ client, path: `/x${at}`, credential: 'absent' });
  expect([bans.count(), told.length]).toEqual([0, 1]);
});

test('a name alone never bans; it is told once an hour and makes what is done count twice', () => {
  const { clock, watch, from, scan, isBanned, told } = start();
  for (let at = 0; at < 10_000; at++) {
    watch.notFound({ client: from('203.0.113.7'), path: '/favicon.ico', credential: 'absent', userAgent: 'sqlmap/1.8' });
    watch.notFound({ client: from('203.0.113.7'), path: '/wrong-address', credential: 'absent', userAgent: 'sqlmap/1.8' });
    watch.keyRefused({ client: from('203.0.113.7'), credential: 'one old key', userAgent: 'sqlmap/1.8' });
    clock.advance(1_000);
  }
  expect(isBanned('203.0.113.7')).toBe(false);
  expect(told.map(({ kind, advice }) => `${kind} ${advice}`)).toEqual([
    'automated_tool flag',
    'automated_tool flag',
    'automated_tool flag',
  ]);
  scan('198.51.100.1', 10, '/x', 'absent', 'nuclei');
  expect(isBanned('198.51.100.1')).toBe(false);
  scan('198.51.100.1', 11, '/x', 'absent', 'nuclei');
  expect(isBanned('198.51.100.1')).toBe(true);
});

test('in shadow everything is told and nobody is banned', () => {
  const { scan, bans, told } = start({ shadow: true });
  scan('203.0.113.7', 100);
  expect([bans.count(), told.length]).toEqual([0, 4]);
});

test('travel is told and bans nobody', () => {
  const { watch, from, bans, told } = start({ countries: { country: ({ text }) => (text.startsWith('203.') ? 'DE' : 'BR') } });
  watch.personSeen('ann', from('203.0.113.7'));
  watch.personSeen('ann', from('198.51.100.1'));
  expect([bans.count(), told.map(({ kind }) => kind)]).toEqual([0, ['implausible_travel']]);
});

test('without a database of countries nobody travels', () => {
  const { watch, from, told } = start();
  watch.personSeen('ann', from('203.0.113.7'));
  watch.personSeen('ann', from('198.51.100.1'));
  expect(told).toEqual([]);
});

test('guessing passwords bans the client, and leaves the owner alone', () => {
  const { watch, from, isBanned } = start();
  for (let at = 0; at < 40; at++) {
    const attempt = watch.signInBegins(from('203.0.113.7'), at % 2 ? 'ann' : `victim ${at}`);
    if (attempt.allowed) attempt.failed();
  }
  expect(isBanned('203.0.113.7')).toBe(true);
  const owner = watch.signInBegins(from('198.51.100.1'), 'ann');
  expect(owner).toMatchObject({ allowed: true, delayMs: 0 });
  owner.succeeded();
});

test('a banned client is banned longer each time it goes on', () => {
  const { clock, scan, bans } = start();
  const lengths = [1, 2, 3].map((round) => {
    scan('203.0.113.7', 21, `/round-${round}-`);
    const ban = bans.check(parseIp('203.0.113.7')!)!;
    clock.advance(ban.endsAtMs! - ban.bannedAtMs);
    return (ban.endsAtMs! - ban.bannedAtMs) / minute;
  });
  expect(lengths).toEqual([5, 10, 20]);
});

test('no client is banned that stays under the thresholds in every window, whatever it does else', () => {
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ verb: fc.constant('wrong path' as const), at: fc.nat(19) }) },
    { weight: 2, arbitrary: fc.record({ verb: fc.constant('wrong key' as const), at: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ verb: fc.constant('mistyped' as const), at: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ verb: fc.constant('call' as const), at: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.record({ verb: fc.constant('wait' as const), at: fc.nat(600) }) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), fc.integer({ min: 0, max: 0xffff }), (acts, host) => {
      const { clock, watch, from, bans } = start();
      const address = `2001:db8::${host.toString(16)}`;
      for (const { verb, at } of acts) {
        const client = from(address);
        // 20 paths, 10 keys and few sign-ins, however often each: as much as a client with a wrong configuration comes to.
        if (verb === 'wrong path') watch.notFound({ client, path: `/wrong-${at}`, credential: 'absent' });
        else if (verb === 'wrong key') watch.keyRefused({ client, credential: `old key ${at}`, userAgent: 'OpenAI/Python' });
        else if (verb === 'call') watch.notFound({ client, path: `/v1/threads/${at}`, credential: at % 2 ? 'accepted' : 'unchecked' });
        else if (verb === 'mistyped') {
          watch.signInBegins(client, `person ${at}`).failed();
          watch.signInBegins(client, `person ${at}`).succeeded();
        } else clock.advance(at * 1_000);
      }
      expect(bans.count()).toBe(0);
    }),
    { numRuns: 200 },
  );
});

import { createFakeClock, createSeededRandom } from '../../testing/index.ts';
import { describe, expect, test } from 'vitest';
import { createClientIpResolver } from '../client-ip/index.ts';
import { classifyPath } from './probe-paths.ts';
import {
  createEndpointScanning,
  createKeyGuessing,
  createSignInGuessing,
  createTravelDetector,
  KnownTable,
  scannerNamed,
  type Finding,
} from './index.ts';

const minute = 60_000;
const random = createSeededRandom(1);

describe('endpoint scanning', () => {
  const scan = (paths: readonly string[], factor = 1): Finding[] => {
    const scanning = createEndpointScanning(createFakeClock(), random);
    return paths.flatMap((path) => scanning.notFound('203.0.113.7', path, factor) ?? []);
  };

  test('many different unknown paths are found out, with examples', () => {
    const paths = Array.from({ length: 21 }, (_, at) => `/admin-${at}`);
    expect(scan(paths.slice(0, 20))).toEqual([]);
    expect(scan(paths)).toEqual([
      {
        kind: 'endpoint_scanning',
        advice: 'ban',
        client: '203.0.113.7',
        subject: null,
        evidence: { paths: 21, examples: ['/admin-0', '/admin-1', '/admin-2'] },
      },
    ]);
  });

  test('paths that only scanners ask for count more', () => {
    expect(scan(['/.env', '/wp-login.php', '/.git/config', '/phpmyadmin/'])).toEqual([]);
    expect(scan(['/.env', '/wp-login.php', '/.git/config', '/phpmyadmin/', '/vendor/phpunit/eval-stdin.php'])).toHaveLength(1);
  });

  test('a program with a wrong address, asking for the same for ever, is no scanner', () => {
    expect(scan(Array.from({ length: 10_000 }, (_, at) => `/chat/completions${at % 10}`))).toEqual([]);
  });

  test('what browsers and platforms ask for by themselves counts nothing', () => {
    const harmless = ['/favicon.ico', '/robots.txt', '/.well-known/acme-challenge/x', '/apple-touch-icon-120x120.png', '/', '/healthz'];
    expect(scan(Array.from({ length: 100 }, (_, at) => harmless[at % 6]! + (at % 6 === 2 ? at : '')))).toEqual([]);
  });

  test.each([
    ['/.env', 'probe'],
    ['/app/.env.production', 'probe'],
    ['/%2eenv', 'probe'],
    ['/.GIT/HEAD', 'probe'],
    ['/wp-login.php', 'probe'],
    ['/blog/wp-admin/', 'probe'],
    ['/cgi-bin/luci', 'probe'],
    [String.raw`/..\..\windows`, 'probe'],
    ['/.well-known/../.env', 'probe'],
    ['/static/%2e%2e/%2e%2e/etc/passwd', 'probe'],
    ['/backup.sql', 'probe'],
    ['/.well-known/security.txt', 'harmless'],
    ['/environment', 'unknown'],
    ['/vendors', 'unknown'],
    ['/v2/chat', 'unknown'],
    ['/%zz', 'unknown'],
  ])('%s is %s', (path, kind) => {
    expect(classifyPath(path)).toBe(kind);
  });

  test('a path of any length is looked at in bounded time', () => {
    expect(classifyPath(`/${'a'.repeat(100_000)}/.env`)).toBe('unknown');
  });

  test('whoever was found out begins anew', () => {
    const clock = createFakeClock();
    const scanning = createEndpointScanning(clock, random);
    const findings = Array.from({ length: 63 }, (_, at) => scanning.notFound('203.0.113.7', `/x${at}`)).filter(Boolean);
    expect(findings).toHaveLength(3);
  });

  test('wrong options are refused', () => {
    for (const options of [{ threshold: 0 }, { windowMs: -1 }, { maxClients: 1.5 }, { probeWeight: Number.NaN }, { treshold: 3 }])
      expect(() => createEndpointScanning(createFakeClock(), random, options)).toThrow(
        expect.objectContaining({ code: 'configuration_invalid' }),
      );
  });
});

describe('key guessing', () => {
  test('many different wrong keys are found out, and no key is in what is told', () => {
    const guessing = createKeyGuessing(createFakeClock(), random);
    const findings = Array.from({ length: 11 }, (_, at) => guessing.refused('203.0.113.7', `hf_secret_${at}`));
    expect(findings.slice(0, 10).every((finding) => finding === undefined)).toBe(true);
    expect(findings[10]).toMatchObject({ kind: 'key_guessing', advice: 'ban', evidence: { keys: 11 } });
    expect(JSON.stringify(findings[10])).not.toContain('secret');
  });

  test('a program that shows one old key for ever guesses nothing', () => {
    const guessing = createKeyGuessing(createFakeClock(), random);
    for (let again = 0; again < 100_000; again++) expect(guessing.refused('203.0.113.7', `hf_old_${again % 3}`)).toBeUndefined();
  });

  test('an address from which good keys come may err more often', () => {
    const clock = createFakeClock();
    const guessing = createKeyGuessing(clock, random);
    const guesses = () => Array.from({ length: 51 }, (_, at) => guessing.refused('203.0.113.7', `key ${at}`)).findIndex(Boolean);
    guessing.accepted('203.0.113.7');
    expect(guesses()).toBe(50);
    clock.advance(86_400_000);
    expect(guesses()).toBe(10);
  });

  test('guesses that are far apart are not found out', () => {
    const clock = createFakeClock();
    const guessing = createKeyGuessing(clock, random);
    for (let at = 0; at < 1_000; at++) {
      expect(guessing.refused('203.0.113.7', `key ${at}`)).toBeUndefined();
      clock.advance(30_000);
    }
  });
});

describe('sign-in guessing', () => {
  const start = (options = {}) => {
    const clock = createFakeClock();
    const guessing = createSignInGuessing(clock, random, options);
    const fail = (client: string, account: string) => {
      const attempt = guessing.begin(client, account);
      return { ...attempt, findings: attempt.failed() };
    };
    return { clock, guessing, fail };
  };

  test('one client has five attempts on one account, then five in each window, whoever else signs in', () => {
    const { clock, guessing, fail } = start();
    for (let at = 0; at < 5; at++) expect(fail('203.0.113.7', 'ann').allowed).toBe(true);
    const refused = fail('203.0.113.7', 'ann');
    expect([refused.allowed, refused.retryAfterMs]).toEqual([false, 3 * minute]);
    expect(guessing.begin('203.0.113.7', 'bob').allowed).toBe(true);
    expect(guessing.begin('198.51.100.1', 'ann').allowed).toBe(true);
    clock.advance(refused.retryAfterMs);
    expect(fail('203.0.113.7', 'ann').allowed).toBe(true);
    expect(fail('203.0.113.7', 'ann').allowed).toBe(false);
  });

  test('a thousand attempts at once are not all looked at', () => {
    const { guessing } = start();
    const attempts = Array.from({ length: 1_000 }, () => guessing.begin('203.0.113.7', 'ann'));
    expect(attempts.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  test('one password on many accounts is found out, as is any client that fails often', () => {
    const { fail } = start();
    const findings = Array.from({ length: 11 }, (_, at) => fail('203.0.113.7', `account ${at}`).findings);
    expect(findings.slice(0, 10).flat()).toEqual([]);
    expect(findings[10]).toMatchObject([{ kind: 'sign_in_guessing', advice: 'ban', client: '203.0.113.7' }]);
  });

  test('an attacker with any number of addresses cannot lock the owner out', () => {
    const { guessing, fail } = start();
    guessing.know('198.51.100.1', 'ann');
    const findings: Finding[] = [];
    for (let at = 0; at < 5_000; at++) findings.push(...fail(`2001:db8:${(at % 1_250).toString(16)}::/64`, 'ann').findings);
    expect(findings.map(({ kind, advice }) => [kind, advice])).toEqual([['account_under_attack', 'flag']]);
    // From where the owner has been before: as ever. From elsewhere: slow, but in.
    expect(guessing.begin('198.51.100.1', 'ann')).toMatchObject({ allowed: true, delayMs: 0 });
    expect(guessing.begin('192.0.2.1', 'ann')).toMatchObject({ allowed: true, delayMs: 2_000 });
    expect(guessing.begin('192.0.2.1', 'bob')).toMatchObject({ allowed: true, delayMs: 0 });
  });

  test('an attack on an account is told once an hour, and is over when it is over', () => {
    const { clock, guessing, fail } = start();
    let told = 0;
    for (let at = 0; at < 600; at++) {
      told += fail(`203.0.113.${at % 250}`, 'ann').findings.filter(({ kind }) => kind === 'account_under_attack').length;
      clock.advance(20_000);
    }
    expect(told).toBe(4);
    clock.advance(2 * 60 * minute);
    expect(guessing.begin('192.0.2.1', 'ann').delayMs).toBe(0);
  });

  test('people behind one address who mistype and then get in are no attackers', () => {
    const { fail, guessing } = start();
    for (let person = 0; person < 200; person++) {
      for (let slip = 0; slip < 3; slip++) expect(fail('203.0.113.7', `person ${person % 10}`).findings).toEqual([]);
      guessing.begin('203.0.113.7', `person ${person % 10}`).succeeded();
    }
  });

  test('an attacker does not wash off what was done to others by signing in to an account of his own', () => {
    const { fail, guessing } = start();
    let found = -1;
    for (let at = 0; at < 40 && found < 0; at++) {
      if (fail('203.0.113.7', `victim ${at}`).findings.length > 0) found = at;
      fail('203.0.113.7', 'mine');
      guessing.begin('203.0.113.7', 'mine').succeeded();
    }
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThanOrEqual(10);
  });

  test('nor by mistyping his own password first and waiting', () => {
    const { clock, guessing, fail } = start();
    for (let at = 0; at < 5; at++) fail('203.0.113.7', 'mine');
    clock.advance(6 * minute);
    for (let at = 0; at < 9; at++) expect(fail('203.0.113.7', `victim ${at}`).findings).toEqual([]);
    guessing.begin('203.0.113.7', 'mine').succeeded();
    const after = Array.from({ length: 2 }, (_, at) => fail('203.0.113.7', `another ${at}`).findings);
    expect(after.flat()).toHaveLength(1);
  });

  test('an account that knows a client gives it four times as many attempts', () => {
    const { guessing } = start();
    guessing.begin('203.0.113.7', 'ann').succeeded();
    const attempts = Array.from({ length: 30 }, () => guessing.begin('203.0.113.7', 'ann'));
    expect(attempts.filter(({ allowed }) => allowed)).toHaveLength(20);
  });

  test('after a success a client may err as often as before', () => {
    const { clock, guessing } = start({ knownFactor: 1 });
    for (let at = 0; at < 4; at++) guessing.begin('203.0.113.7', 'ann').failed();
    guessing.begin('203.0.113.7', 'ann').succeeded();
    const attempts = Array.from({ length: 6 }, () => guessing.begin('203.0.113.7', 'ann'));
    expect(attempts.filter(({ allowed }) => allowed)).toHaveLength(5);
    expect(clock.pendingTimers).toBe(0);
  });

  test('beginning and giving up is no way round, nor telling twice', () => {
    const { guessing } = start();
    for (let at = 0; at < 4; at++) guessing.begin('203.0.113.7', 'ann');
    const attempt = guessing.begin('203.0.113.7', 'ann');
    attempt.failed();
    attempt.succeeded();
    expect(attempt.failed()).toEqual([]);
    expect(guessing.begin('203.0.113.7', 'ann').allowed).toBe(false);
  });

  test('behind a proxy that does not say for whom it asks, nobody is refused for another', () => {
    const { guessing } = start();
    for (let at = 0; at < 100; at++) guessing.begin('10.0.0.1', 'ann', true).failed();
    expect(guessing.begin('10.0.0.1', 'ann', true)).toMatchObject({ allowed: true, delayMs: 2_000 });
  });

  test('accounts of any length and number take no more memory than the bound', () => {
    const { guessing, fail } = start({ maxClients: 100 });
    for (let at = 0; at < 5_000; at++) {
      fail(`client ${at}`, `${at}${'x'.repeat(5_000)}`);
      guessing.know(`client ${at}`, `${at}`);
    }
    expect(guessing.size).toBeLessThanOrEqual(600);
  });

  test('wrong options are refused', () => {
    for (const options of [{ pairThreshold: 0 }, { delayMs: 1e9 }, { knownForMs: -1 }, { accountTreshold: 3 }])
      expect(() => createSignInGuessing(createFakeClock(), random, options)).toThrow(
        expect.objectContaining({ code: 'configuration_invalid' }),
      );
  });
});

describe('travel', () => {
  const countries: Readonly<Record<string, string>> = { '203.0.113.1': 'DE', '203.0.113.2': 'DE', '198.51.100.1': 'BR', '192.0.2.1': 'JP' };
  const from = (address: string) =>
    createClientIpResolver({ trustedProxies: ['10.0.0.0/8'] }).resolve({ peer: address, header: undefined });
  const start = (options = {}) => {
    const clock = createFakeClock();
    const travel = createTravelDetector(clock, { country: ({ text }) => countries[text] }, options);
    return { clock, travel };
  };

  test('being in two countries within an hour is told, once a day for the two, and bans nobody', () => {
    const { clock, travel } = start();
    expect(travel.seen('ann', from('203.0.113.1'))).toBeUndefined();
    clock.advance(10 * minute);
    expect(travel.seen('ann', from('198.51.100.1'))).toEqual({
      kind: 'implausible_travel',
      advice: 'flag',
      client: '198.51.100.1',
      subject: 'ann',
      evidence: { from: 'DE', to: 'BR', minutes: 10 },
    });
    for (let at = 0; at < 10; at++) expect(travel.seen('ann', from(at % 2 ? '198.51.100.1' : '203.0.113.1'))).toBeUndefined();
    expect(travel.seen('ann', from('192.0.2.1'))).toMatchObject({ evidence: { from: 'BR', to: 'JP' } });
    clock.advance(86_400_000);
    travel.seen('ann', from('203.0.113.1'));
    expect(travel.seen('ann', from('198.51.100.1'))).toBeDefined();
  });

  test('a journey, another address in the same country, and an address that nobody knows are no news', () => {
    const { clock, travel } = start();
    travel.seen('ann', from('203.0.113.1'));
    expect(travel.seen('ann', from('203.0.113.2'))).toBeUndefined();
    expect(travel.seen('ann', from('203.0.113.99'))).toBeUndefined();
    expect(travel.seen('bob', from('198.51.100.1'))).toBeUndefined();
    clock.advance(60 * minute);
    expect(travel.seen('ann', from('198.51.100.1'))).toBeUndefined();
  });

  test('of a person who is everywhere, the last eight pairs of countries are remembered', () => {
    const codes = ['AA', 'BB', 'CC', 'DD', 'EE', 'FF'];
    const travel = createTravelDetector(createFakeClock(), { country: ({ d }) => codes[d & 7] });
    const told = (at: number) => travel.seen('ann', from(`203.0.113.${at}`)) !== undefined;
    const route = [0, 1, 2, 3, 4, 5, 0, 2, 4, 1];
    expect(route.map(told)).toEqual([false, ...Array(9).fill(true)]);
    // The first pair, AA and BB, was pushed out; the last, EE and BB, is known.
    expect([told(4), told(1), told(0), told(1)]).toEqual([false, false, true, false]);
  });

  test('where a proxy stands is not where a person is', () => {
    const travel = createTravelDetector(createFakeClock(), { country: ({ text }) => (text === '10.0.0.1' ? 'JP' : 'DE') });
    travel.seen('ann', from('203.0.113.1'));
    expect(travel.seen('ann', from('10.0.0.1'))).toBeUndefined();
  });

  test('of people beyond the bound, the one who was seen longest ago is forgotten', () => {
    const { travel } = start({ maxSubjects: 100 });
    for (let round = 0; round < 10; round++) {
      travel.seen('ann', from('203.0.113.1'));
      for (let at = 0; at < 60; at++) travel.seen(`person ${round} ${at}`, from('203.0.113.1'));
    }
    expect(travel.size).toBe(100);
    expect(travel.seen('ann', from('198.51.100.1'))).toBeDefined();
  });
});

test('only programs for finding holes are told from others by their name', () => {
  for (const agent of ['sqlmap/1.8', 'Mozilla/5.0 (compatible; Nuclei - Open-source project)', 'Mozilla/5.00 (Nikto/2.1.6)'])
    expect(scannerNamed(agent), agent).toBeDefined();
  for (const agent of [
    undefined,
    '',
    'OpenAI/Python 1.99.0',
    'Anthropic/JS 1.10.0',
    'curl/8.5.0',
    'python-requests/2.32',
    'Googlebot/2.1',
    'node',
    `${'x'.repeat(300)}sqlmap`,
  ])
    expect(scannerNamed(agent), agent).toBeUndefined();
});

test('what is known is known for its time, and no more than the bound is', () => {
  const clock = createFakeClock();
  const known = new KnownTable(clock, 16_000, 3);
  for (const key of ['a', 'b', 'c']) known.note(key);
  clock.advance(1_000);
  known.note('a');
  known.note('d');
  expect(['a', 'b', 'c', 'd'].map((key) => known.has(key))).toEqual([true, false, true, true]);
  clock.advance(15_000);
  expect(['a', 'c', 'd'].map((key) => known.has(key))).toEqual([true, false, true]);
  clock.advance(1_000);
  expect([known.has('a'), known.size]).toEqual([false, 1]);
});

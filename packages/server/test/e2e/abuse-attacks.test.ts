import { request as httpRequest } from 'node:http';
import { createKeySecret } from '../../src/features/identity/key-format.ts';
import { systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BanBody } from '@holdfast/contracts';
import { startServer, type RunningServer } from '../support/server.ts';

// What somebody tries who knows how it works: to be somebody else, to be many, to have others banned, not to be counted.

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    env: {
      HOLDFAST_TRUSTED_PROXIES: '127.0.0.1',
      HOLDFAST_CLIENT_IPV6_PREFIX_LENGTH: '56',
      HOLDFAST_ABUSE_NETWORK_FACTOR: '5',
      RATE_LIMIT_ENABLED: 'false',
    },
  });
});
afterAll(() => server?.stop());

interface Attempt {
  /** From which of the machine's own addresses. Default 127.0.0.1, the proxy that is trusted. */
  readonly from?: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
}

function send(path: string, { from = '127.0.0.1', method = 'GET', headers = {} }: Attempt = {}): Promise<number> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, localAddress: from, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode!));
    });
    request.once('error', reject);
    request.end();
  });
}

const through = (address: string | string[]): Record<string, string | string[]> => ({ 'x-forwarded-for': address });
/** A path that needs no key and is no probe. */
const statusOf = (address: string): Promise<number> => send('/openapi.json', { headers: through(address) });
const bans = async (): Promise<BanBody[]> => {
  const response = await fetch(`${server.url}/api/bans?limit=100`, { headers: { authorization: `Bearer ${server.key}` } });
  return ((await response.json()) as { data: BanBody[] }).data;
};

describe('whoever wants another banned', () => {
  test('writes the address of the other before the own one, and is banned alone', async () => {
    for (let at = 0; at < 21; at++) await send(`/admin-${at}`, { headers: through(`203.0.113.1, 198.51.100.1`) });
    expect(await statusOf('203.0.113.1')).toBe(200);
    expect(await statusOf('198.51.100.1')).toBe(403);
  });

  test('writes a header of their own beside that of the proxy, and is banned alone', async () => {
    for (let at = 0; at < 21; at++) await send(`/admin-${at}`, { headers: through(['203.0.113.2', '198.51.100.2']) });
    expect(await statusOf('203.0.113.2')).toBe(200);
    expect(await statusOf('198.51.100.2')).toBe(403);
  });

  test('goes past the proxy, and is not believed', async () => {
    for (let at = 0; at < 21; at++) await send(`/admin-${at}`, { from: '127.0.0.9', headers: through('203.0.113.3') });
    expect(await statusOf('203.0.113.3')).toBe(200);
  });

  test('uses the header that is not read', async () => {
    for (let at = 0; at < 21; at++)
      await send(`/admin-${at}`, { headers: { ...through('198.51.100.3'), forwarded: 'for=203.0.113.4', 'x-real-ip': '203.0.113.4' } });
    expect(await statusOf('203.0.113.4')).toBe(200);
    expect(await statusOf('198.51.100.3')).toBe(403);
  });
});

describe('whoever is banned', () => {
  test('does not pass as loopback, as the proxy, as garbage, nor as the same address in another form', async () => {
    for (let at = 0; at < 21; at++) await send(`/admin-${at}`, { headers: through('198.51.100.10') });
    const lies = [
      '127.0.0.1, 198.51.100.10',
      '::1, 198.51.100.10',
      'unknown, 198.51.100.10',
      '"203.0.113.9, 198.51.100.10',
      '::ffff:198.51.100.10',
      '198.51.100.10:4711',
      '::ffff:c633:640a',
    ];
    for (const lie of lies) expect(await statusOf(lie), lie).toBe(403);
  });

  test('does not pass by another path, method or key', async () => {
    for (let at = 0; at < 21; at++) await send(`/admin-${at}`, { headers: through('198.51.100.11') });
    const paths = [
      '/v1/models',
      '/api/keys',
      '/docs',
      '/nowhere',
      '//health',
      '/HEALTH',
      '/health/../v1/models',
      '/%zz',
      '/metrics/',
      '/health/x',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE']) {
        const headers = { ...through('198.51.100.11'), authorization: 'Bearer hf_none' };
        expect(await send(path, { method, headers }), `${method} ${path}`).toBe(403);
      }
    }
  });
});

describe('whoever is many', () => {
  test('takes another address of the same IPv6 network each time, and is one', async () => {
    for (let at = 0; at < 21; at++) await send(`/admin-${at}`, { headers: through(`2001:db8:1:${at.toString(16)}::${at.toString(16)}`) });
    expect(await statusOf('2001:db8:1:ff:ffff:ffff:ffff:ffff')).toBe(403);
    expect(await statusOf('2001:db8:1:100::1')).toBe(200);
  });

  test('takes another network of the same site each time, and is found out all the same', async () => {
    for (let at = 0; at < 101; at++) await send(`/admin-${at}`, { headers: through(`2001:db8:2:${(at * 256).toString(16)}::1`) });
    expect(await statusOf('2001:db8:2:ffff::1')).toBe(403);
    expect(await statusOf('2001:db8:3::1')).toBe(200);
    expect(await bans()).toContainEqual(expect.objectContaining({ range: '2001:db8:2::/48', reason: 'endpoint_scanning' }));
  });
});

describe('whoever does not want to be counted', () => {
  test('guesses well-formed keys at a path that nobody answers, and is found out', async () => {
    const keys = Array.from({ length: 11 }, () => createKeySecret(systemRandom));
    for (const key of keys) await send('/nowhere', { headers: { ...through('198.51.100.20'), authorization: `Bearer ${key}` } });
    await expect.poll(() => statusOf('198.51.100.20'), { timeout: 2_000 }).toBe(403);
    for (const key of keys) expect(server.output()).not.toContain(key);
  });

  test('changes between the two headers for keys', async () => {
    for (let at = 0; at < 11; at++) {
      const key: Record<string, string> = at % 2 === 0 ? { 'x-api-key': `guess-${at}` } : { authorization: `bearer guess-${at}` };
      await send('/v1/models', { headers: { ...through('198.51.100.21'), ...key } });
    }
    expect(await statusOf('198.51.100.21')).toBe(403);
  });

  test('writes probes so that they are not known as such', async () => {
    const probes = ['/%2eenv', '/%2E%67it/config', '/WP-Login.PHP', '/x/..%2f..%2fetc/passwd', '/static/.AWS/credentials?x=1'];
    for (const path of probes) await send(path, { headers: through('198.51.100.22') });
    expect(await statusOf('198.51.100.22')).toBe(403);
  });

  test('sends a key that nobody has with each path, under /v1 as well', async () => {
    for (let at = 0; at < 21; at++)
      await send(`/v1/admin-${at}`, { headers: { ...through('198.51.100.23'), authorization: 'Bearer none' } });
    await expect.poll(() => statusOf('198.51.100.23'), { timeout: 2_000 }).toBe(403);
  });
});

test('a program with a wrong address and an old key, that asks again and again, is left alone', async () => {
  const key = createKeySecret(systemRandom);
  const headers = { ...through('198.51.100.30'), authorization: `Bearer ${key}`, 'user-agent': 'OpenAI/Python 2.0 sqlmap' };
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 20 }, (_, at) => send(at % 2 ? '/chat/completions' : '/v1/models', { headers })));
  expect(await statusOf('198.51.100.30')).toBe(200);
});

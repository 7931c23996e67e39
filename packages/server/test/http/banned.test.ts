import { expect, test } from 'vitest';
import { createClientIpResolver } from '@holdfast/kit/security';
import type { ClientBan, Refusal } from '../../src/entry/http/index.ts';
import { goodKey, openDoor } from './door.ts';

const from = (address: string, headers: Record<string, string> = {}) => ({ headers: { 'x-forwarded-for': address, ...headers } });

/** A door in front of which 203.0.113.7 is banned. */
async function openGuardedDoor(ban: ClientBan) {
  const refused: [string, string][] = [];
  const door = await openDoor({
    clientIp: createClientIpResolver({ trustedProxies: ['loopback'] }),
    bans: {
      check({ address }) {
        return address.text === '203.0.113.7' ? ban : undefined;
      },
    },
    authenticate: (secret) => {
      throw new Error(`${secret} was looked at`);
    },
    onRefusal: ({ client, code }) => refused.push([client.address.text, code]),
  });
  return { ...door, refused };
}

test('whoever is banned is refused everywhere but at probes, in the shape of the route, and told nothing but when to come back', async () => {
  const { url } = await openGuardedDoor({ retryAfterSeconds: 90.2 });
  for (const path of ['/v1/models', '/v1/chat/completions', '/api/keys-only', '/nothing', '/', '/%zz', '/docs', '/openapi.json']) {
    const response = await fetch(`${url}${path}`, from('203.0.113.7', { authorization: `Bearer ${goodKey}` }));
    expect(response.status, path).toBe(403);
    expect(response.headers.get('retry-after'), path).toBe('91');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('x-request-id')).not.toBeNull();
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect(error['message'], path).toBe('Requests from this address are refused at the moment.');
    expect(error['details']).toBeUndefined();
    expect(path.startsWith('/v1') ? error['code'] : error['reason'], path).toBe('address_banned');
  }
  const anthropic = await fetch(`${url}/v1/messages`, { method: 'POST', ...from('203.0.113.7') });
  expect(await anthropic.json()).toMatchObject({ type: 'error', error: { type: 'permission_error' } });
  expect((await fetch(`${url}/health`, from('203.0.113.7'))).status).toBe(200);
  expect((await fetch(`${url}/api/errors/conflict`, from('203.0.113.8'))).status).toBe(409);
});

test('a page that may read answers may read this one too', async () => {
  const { url } = await openGuardedDoor({ retryAfterSeconds: undefined });
  const response = await fetch(`${url}/v1/models`, from('203.0.113.7', { origin: 'https://app.example' }));
  expect(response.status).toBe(403);
  expect(response.headers.get('retry-after')).toBeNull();
  expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
});

test('not a byte of the body is read', async () => {
  const { url } = await openGuardedDoor({ retryAfterSeconds: undefined });
  const response = await fetch(`${url}/v1/echo`, {
    method: 'POST',
    body: '{"broken',
    ...from('203.0.113.7', { 'content-type': 'text/plain' }),
  });
  expect(response.status).toBe(403);
});

test.each([
  ['at once', (secret: string) => secret === goodKey],
  ['after a look', (secret: string) => Promise.resolve(secret === goodKey)],
])('a key that passes the ban, %s, goes on to the door like any other', async (_when, passes) => {
  const { url, refused } = await openGuardedDoor({ retryAfterSeconds: 1, passes });
  const status = async (path: string, key?: string) =>
    (await fetch(`${url}${path}`, from('203.0.113.7', key === undefined ? {} : { 'x-api-key': key }))).status;
  expect(await status('/api/errors/conflict', goodKey)).toBe(409);
  expect(await status('/nothing', goodKey)).toBe(404);
  expect(await status('/api/errors/conflict', 'other')).toBe(403);
  expect(await status('/api/errors/conflict')).toBe(403);
  expect(refused.map(([, code]) => code)).toEqual(['conflict', 'route_not_found', 'address_banned', 'address_banned']);
});

test('each refusal is told, with whom it met and what was shown as a key', async () => {
  const told: Refusal[] = [];
  const { url } = await openDoor({ onRefusal: (refusal) => told.push(refusal) });
  const call = async (path: string, init: RequestInit = {}) => (await fetch(`${url}${path}`, init)).text();
  await call('/health');
  await call('/nothing?key=hf_secret', { headers: { 'x-api-key': 'hf_other', 'user-agent': 'sqlmap/1.7' } });
  await call('/%zz');
  await call('/health', { method: 'DELETE' });
  await call('/v1/models', { headers: { authorization: 'Bearer hf_guess' } });
  await call('/api/keys-only', { headers: { authorization: `Bearer ${goodKey}` } });
  expect(told).toMatchObject([
    { code: 'route_not_found', unknownRoute: true, path: '/nothing', secret: 'hf_other', authenticated: false, userAgent: 'sqlmap/1.7' },
    { code: 'route_not_found', unknownRoute: true, path: '/%zz', secret: undefined, authenticated: false },
    { code: 'method_not_allowed', path: '/health', secret: undefined, authenticated: false },
    { code: 'key_unknown', unknownRoute: false, keyFault: 'key_unknown', path: '/v1/models', secret: 'hf_guess', authenticated: false },
    { code: 'scope_missing', keyFault: undefined, path: '/api/keys-only', secret: goodKey, authenticated: true },
  ]);
  expect(told.map(({ client }) => client.address.text)).toEqual(told.map(() => '127.0.0.1'));
});

test('whose key is good is told, also when it may not do what was asked, and of nobody else', async () => {
  const told: string[] = [];
  const { url } = await openDoor({
    clientIp: createClientIpResolver({ trustedProxies: ['loopback'] }),
    onAuthenticated: ({ address }) => told.push(address.text),
  });
  const call = async (path: string, address: string, key?: string) =>
    (await fetch(`${url}${path}`, from(address, key === undefined ? {} : { authorization: `Bearer ${key}` }))).text();
  await call('/v1/models', '203.0.113.1', goodKey);
  await call('/v1/models', '203.0.113.2', 'slow-key');
  await call('/api/keys-only', '203.0.113.3', goodKey);
  await call('/v1/models', '203.0.113.4', 'hf_guess');
  await call('/v1/models', '203.0.113.5');
  await call('/health', '203.0.113.6', goodKey);
  expect(told).toEqual(['203.0.113.1', '203.0.113.2', '203.0.113.3']);
});

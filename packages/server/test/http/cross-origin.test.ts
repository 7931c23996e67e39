import { describe, expect, test } from 'vitest';
import { goodKey, openDoor } from './door.ts';

const origin = 'https://app.example';
const json = { 'content-type': 'application/json' };

describe('an allowed origin', () => {
  test.each<[string, string, RequestInit, number]>([
    ['a success', '/health', {}, 200],
    [
      'a success written past the framework',
      '/v1/echo',
      { method: 'POST', headers: { ...json, authorization: `Bearer ${goodKey}` }, body: '{}' },
      200,
    ],
    ['a stream', '/v1/chat/completions', { method: 'POST', headers: json, body: '{"model":"stream_cut","stream":true}' }, 200],
    ['401', '/v1/echo', { method: 'POST', headers: json, body: '{}' }, 401],
    ['403', '/api/keys-only', { headers: { authorization: `Bearer ${goodKey}` } }, 403],
    ['404', '/nothing', {}, 404],
    ['405', '/health', { method: 'DELETE' }, 405],
    ['413', '/v1/echo', { method: 'POST', headers: { ...json, authorization: `Bearer ${goodKey}` }, body: 'a'.repeat(65 * 1024) }, 413],
    ['415', '/v1/echo', { method: 'POST', headers: { 'content-type': 'text/plain', authorization: `Bearer ${goodKey}` }, body: 'a' }, 415],
    ['429', '/v1/chat/completions', { method: 'POST', headers: json, body: '{"model":"provider_rate_limited"}' }, 429],
    ['500', '/api/throws', {}, 500],
    ['503', '/api/errors/draining', {}, 503],
  ])('may read %s', async (_what, path, init, status) => {
    const { url } = await openDoor();
    const answer = await fetch(url + path, { ...init, headers: { ...(init.headers as Record<string, string>), origin } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('vary')).toMatch(/origin/i);
    expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
  });

  test('gets its preflight answered without a key', async () => {
    const { url } = await openDoor();
    const answer = await fetch(`${url}/v1/echo`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
  });
});

test.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])(
  '%s may read nothing',
  async (evil) => {
    const { url } = await openDoor();
    for (const init of [{}, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }]) {
      const answer = await fetch(`${url}/health`, { ...init, headers: { ...init.headers, origin: evil } });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  },
);

test('without a list no origin may read anything, and a preflight is no route', async () => {
  const { url } = await openDoor({ corsOrigins: [] });
  expect((await fetch(`${url}/health`, { headers: { origin } })).headers.get('access-control-allow-origin')).toBeNull();
  const preflight = await fetch(`${url}/health`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } });
  expect([preflight.status, preflight.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('`*` lets all origins read, and never with credentials of the browser', async () => {
  const { url } = await openDoor({ corsOrigins: ['*'] });
  const answer = await fetch(`${url}/health`, { headers: { origin: 'https://any.example' } });
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
});

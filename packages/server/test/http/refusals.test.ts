import { describe, expect, test } from 'vitest';
import { anthropicError, errorEnvelope, openaiError } from '@holdfast/contracts';
import { httpErrorRaised, httpRequestFinished, type HttpErrorRaised, type HttpRequestFinished } from '@holdfast/kit/events';
import { errorTraits, HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { createClientIpResolver, type ClientIpResolver } from '@holdfast/kit/security';
import { systemClock } from '@holdfast/kit/time';
import { createHttpServer, securityHeaders } from '../../src/entry/http/index.ts';
import { goodKey, openDoor, openSocket, parseAnswer } from './door.ts';

const json = { 'content-type': 'application/json' };
const authorized = { ...json, authorization: `Bearer ${goodKey}` };

interface Refusal {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer<ArrayBuffer>;
  readonly code: ErrorCode;
}

const refusals: readonly Refusal[] = [
  { what: 'malformed JSON', path: '/api/things/1', body: '{"name":', code: 'invalid_json' },
  { what: 'an empty body', path: '/api/things/1', body: '', code: 'invalid_json' },
  { what: 'bytes that are no text', path: '/api/things/1', body: Buffer.from([0xff, 0xfe, 0x00]), code: 'invalid_json' },
  { what: 'a prototype key', path: '/api/things/1', body: '{"name":"a","nested":{"__proto__":{"admin":true}}}', code: 'invalid_json' },
  { what: 'a prototype key in disguise', path: '/api/things/1', body: '{"name":"a","nested":{"\\u005f_proto__":1}}', code: 'invalid_json' },
  {
    what: 'a constructor key',
    path: '/api/things/1',
    body: '{"name":"a","nested":{"constructor":{"prototype":{}}}}',
    code: 'invalid_json',
  },
  {
    what: 'a body that is too deep',
    path: '/api/things/1',
    body: `{"name":"a","nested":${'['.repeat(64)}${']'.repeat(64)}}`,
    code: 'body_too_deep',
  },
  { what: 'a body that is far too deep', path: '/api/things/1', body: '['.repeat(60_000), code: 'body_too_deep' },
  { what: 'a field at fault', path: '/api/things/1', body: '{"name":"too long"}', code: 'invalid_request' },
  { what: 'an unknown field', path: '/api/things/1', body: '{"name":"a","owner":"b"}', code: 'invalid_request' },
  {
    what: 'a wrong content type',
    path: '/api/things/1',
    headers: { 'content-type': 'text/plain' },
    body: '{}',
    code: 'content_type_unsupported',
  },
  {
    what: 'a form',
    path: '/api/things/1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'a=b',
    code: 'content_type_unsupported',
  },
  {
    what: 'a content type that is none',
    path: '/api/things/1',
    headers: { 'content-type': 'json' },
    body: '{}',
    code: 'content_type_unsupported',
  },
  { what: 'a body too large', path: '/api/things/1', body: Buffer.alloc(65 * 1024, 'a'), code: 'body_too_large' },
  { what: 'a body far too large', path: '/api/things/1', body: Buffer.alloc(20 * 1024 * 1024, 'a'), code: 'body_too_large' },
  { what: 'no key', path: '/api/any-key', method: 'GET', headers: { authorization: '' }, code: 'key_missing' },
  { what: 'another scheme', path: '/api/any-key', method: 'GET', headers: { authorization: 'Basic Zm9vOmJhcg==' }, code: 'key_missing' },
  { what: 'a malformed key', path: '/api/any-key', method: 'GET', headers: { authorization: 'Bearer nonsense' }, code: 'key_malformed' },
  { what: 'an unknown key', path: '/api/any-key', method: 'GET', headers: { authorization: 'Bearer hf_unknown' }, code: 'key_unknown' },
  {
    what: 'a key that cannot be looked up',
    path: '/api/any-key',
    method: 'GET',
    headers: { authorization: 'Bearer broken' },
    code: 'database_unavailable',
  },
  { what: 'a key without the scope', path: '/api/keys-only', method: 'GET', code: 'scope_missing' },
  { what: 'an unknown route', path: '/api/nothing', method: 'GET', code: 'route_not_found' },
  { what: 'an unknown path', path: '/nothing', method: 'GET', code: 'route_not_found' },
  { what: 'a path that does not decode', path: '/api/%zz', method: 'GET', code: 'route_not_found' },
  { what: 'a parameter that is too long', path: `/api/errors/${'a'.repeat(3_000)}`, method: 'GET', code: 'route_not_found' },
  { what: 'a wrong method', path: '/api/things/1', method: 'DELETE', headers: {}, code: 'method_not_allowed' },
  { what: 'a throw in a handler', path: '/api/throws', method: 'GET', code: 'internal_error' },
];

describe.each(refusals)('$what', ({ path, method = 'POST', headers = {}, body, code }) => {
  test(`is answered ${code} in the envelope, with every header, and the connection still serves`, async () => {
    const { url } = await openDoor();
    const answer = await fetch(url + path, {
      method,
      headers: { ...(method === 'POST' ? authorized : { authorization: authorized.authorization }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const envelope = errorEnvelope.parse(await answer.json());
    const traits = errorTraits(code);
    expect(answer.status).toBe(traits.status);
    expect(envelope.error).toMatchObject({ code: traits.status, reason: code, category: traits.category, message: traits.message });
    expect(envelope.error.request_id).toBe(answer.headers.get('x-request-id'));
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    for (const [name, value] of Object.entries(securityHeaders)) expect(answer.headers.get(name), name).toBe(value);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

test('what went wrong inside reaches the log and not the client', async () => {
  const raised: HttpErrorRaised[] = [];
  const stop = httpErrorRaised.subscribe((event) => void raised.push(event));
  const { url } = await openDoor();
  const answer = await fetch(`${url}/api/throws`);
  const text = await answer.text();
  stop();
  expect(text).not.toMatch(/secret path|TypeError|stack/);
  expect(raised).toHaveLength(1);
  expect(raised[0]).toMatchObject({
    code: 'internal_error',
    logLevel: 'error',
    requestId: answer.headers.get('x-request-id'),
    route: '/api/throws',
  });
  expect(raised[0]!.error.cause).toMatchObject({ message: 'secret path /etc/holdfast' });
});

test('a fault in a field names the field and what was expected', async () => {
  const { url } = await openDoor();
  const answer = await fetch(`${url}/api/things/1`, {
    method: 'POST',
    headers: authorized,
    body: '{"name":"too long","nested":1,"owner":"b"}',
  });
  expect(((await answer.json()) as any).error.details).toEqual([
    { field: 'name', message: 'Too big: expected string to have <=5 characters' },
    { field: 'owner', message: 'Not known here' },
  ]);
});

test('a body of a thousand faults gets a short answer', async () => {
  const { url } = await openDoor();
  const body = JSON.stringify({
    name: 'a',
    ...Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x${index}`.repeat(8), 1])),
  });
  const answer = await fetch(`${url}/api/things/1`, { method: 'POST', headers: authorized, body });
  expect(((await answer.json()) as any).error.details).toHaveLength(20);
});

test('a wrong method is told the right ones', async () => {
  const { url } = await openDoor();
  const answer = await fetch(`${url}/v1/echo`, { method: 'PUT' });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  expect((await fetch(`${url}/health`, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD');
});

test('a 401 carries the challenge', async () => {
  const { url } = await openDoor();
  expect((await fetch(`${url}/api/any-key`)).headers.get('www-authenticate')).toBe('Bearer');
});

test('a refusal comes before the body is read', async () => {
  const { port } = await openDoor();
  const { socket, until, received } = await openSocket(port);
  socket.write('POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{');
  await until('key_missing');
  expect(parseAnswer(received()).status).toBe(401);
  socket.destroy();
});

describe('the shape of an error follows the path', () => {
  test.each([
    ['/v1/nothing', {}, openaiError],
    ['/v1', {}, openaiError],
    ['/v1/chat/completions/x?y=1', {}, openaiError],
    ['/v1/messagesx', {}, openaiError],
    ['/v1/messages/nothing', {}, anthropicError],
    ['/v1/messages?beta=true', {}, anthropicError],
    ['/v1/models', {}, openaiError],
    ['/v1/models', { 'anthropic-version': '2023-06-01' }, anthropicError],
    ['/v10/x', {}, errorEnvelope],
    ['/', {}, errorEnvelope],
  ])('%s %j', async (path, headers, schema) => {
    const { url } = await openDoor();
    const answer = await fetch(url + path, { headers });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(schema.safeParse(await answer.json()).error).toBeUndefined();
    if (schema === anthropicError) expect(answer.headers.get('request-id')).toBe(answer.headers.get('x-request-id'));
  });
});

describe('keys', () => {
  test.each<[string, Record<string, string>]>([
    ['as a bearer token', { authorization: `Bearer ${goodKey}` }],
    ['whatever the case of the scheme', { authorization: `bEARER ${goodKey}` }],
    ['as x-api-key', { 'x-api-key': goodKey }],
    ['as x-api-key beside another scheme', { authorization: 'Basic abc', 'x-api-key': goodKey }],
    ['that must be looked up', { authorization: 'Bearer slow-key' }],
  ])('are taken %s', async (_how, headers) => {
    const { url } = await openDoor();
    const answer = await fetch(`${url}/api/any-key`, { headers });
    expect(await answer.json()).toEqual({ key_id: '019a9c5a-0000-7000-8000-000000000002' });
  });

  test('a missing scope is named', async () => {
    const { url } = await openDoor();
    const answer = await fetch(`${url}/api/keys-only`, { headers: authorized });
    expect(((await answer.json()) as any).error.details).toEqual({ scope: 'keys:write' });
  });

  test('a route of the API that does not say who may use it cannot be added', async () => {
    const { app } = await createHttpServer({
      clock: systemClock,
      createId: () => 'id',
      version: '0',
      authenticate: () => Promise.reject(new HoldfastError('key_unknown')),
    });
    for (const url of ['/api/forgotten', '/v1/forgotten', '/api', '/v1/:any']) {
      expect(() => app.get(url, () => ({})), url).toThrow(/does not say who may use it/);
    }
    await app.close();
  });
});

describe('request ids', () => {
  test.each(['a', 'trace-1.2_3', 'x'.repeat(128)])('the client’s own %s is kept', async (id) => {
    const { url } = await openDoor();
    for (const path of ['/health', '/api/throws', '/nothing', '/%zz']) {
      expect((await fetch(url + path, { headers: { 'x-request-id': id } })).headers.get('x-request-id')).toBe(id);
    }
  });

  test.each(['', 'x'.repeat(129), 'a b', 'a"b', 'ü', '../..'])('%j is replaced by one of ours', async (id) => {
    const { url } = await openDoor();
    const kept = (await fetch(`${url}/health`, { headers: { 'x-request-id': Buffer.from(id).toString('latin1') } })).headers.get(
      'x-request-id',
    );
    expect(kept).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

test('gateway bodies arrive as the very bytes that were sent', async () => {
  const { url } = await openDoor();
  const body = Buffer.from('{ "a" : 1e2,\n "ü":"\\u00fc", "__proto__": 1 }');
  const answer = await fetch(`${url}/v1/echo`, { method: 'POST', headers: authorized, body });
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(body);
});

test('every request is announced once, with how it ended', async () => {
  const events: HttpRequestFinished[] = [];
  const stop = httpRequestFinished.subscribe((event) => void events.push(event));
  const { url, port, server } = await openDoor();
  await (await fetch(`${url}/v1/echo?key=secret`, { method: 'POST', headers: authorized, body: '{}' })).text();
  await (await fetch(`${url}/nothing/at/all`)).text();
  await (await fetch(`${url}/%zz`)).text();
  await (
    await fetch(`${url}/api/keys-only`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    })
  ).text();
  // One that leaves in the middle of its answer.
  const { socket, until } = await openSocket(port);
  socket.write(
    `POST /v1/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
  );
  await until('data: 1');
  const gone = new Promise<void>((resolve) => {
    const end = httpRequestFinished.subscribe(() => {
      end();
      resolve();
    });
  });
  socket.destroy();
  await gone;
  stop();
  expect(server.inFlight).toBe(0);
  expect(events.map(({ method, route, path, status, errorCode }) => ({ method, route, path, status, errorCode }))).toEqual([
    { method: 'POST', route: '/v1/echo', path: '/v1/echo', status: 200, errorCode: undefined },
    { method: 'GET', route: undefined, path: '/nothing/at/all', status: 404, errorCode: 'route_not_found' },
    { method: 'GET', route: undefined, path: '/%zz', status: 404, errorCode: 'route_not_found' },
    { method: 'OPTIONS', route: '*', path: '/api/keys-only', status: 204, errorCode: undefined },
    { method: 'POST', route: '/v1/slow', path: '/v1/slow', status: 499, errorCode: 'client_closed' },
  ]);
  for (const event of events) {
    expect(event.requestBytes).toBeGreaterThan(30);
    expect(event.responseBytes).toBeGreaterThan(30);
    expect(event.client).toBe('[ip]');
  }
  expect(events[0]!.organizationId).toBe('019a9c5a-0000-7000-8000-000000000001');
});

test('the address of a request is whom a trusted proxy names, and nobody else; also where no route is found', async () => {
  const forwarded = async (clientIp?: ClientIpResolver): Promise<string[]> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: string[] = [];
    const { url } = await openDoor({ nameClient: ({ address }) => address.text, ...(clientIp && { clientIp }) });
    const stop = httpRequestFinished.subscribe(({ client }) => {
      if (seen.push(client) === 3) resolve();
    });
    const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' };
    for (const path of ['/health', '/nothing', '/%zz']) await (await fetch(`${url}${path}`, { headers })).text();
    await promise;
    stop();
    return seen;
  };
  expect(await forwarded()).toEqual(Array(3).fill('127.0.0.1'));
  expect(await forwarded(createClientIpResolver({ trustedProxies: ['10.0.0.0/8'] }))).toEqual(Array(3).fill('127.0.0.1'));
  expect(await forwarded(createClientIpResolver({ trustedProxies: ['loopback'] }))).toEqual(Array(3).fill('203.0.113.7'));
});

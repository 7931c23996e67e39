import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { createKeySecret } from '../../src/features/identity/index.ts';
import { Evidence, expectCommonHeaders, expectError, promptMark, type Shape } from './support/evidence.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const operatorKey = 'operator-bootstrap-key-0123456789-abcdef';
const maxBodyBytes = 2 * 1024 * 1024;
const origin = 'https://app.example';

let gateway: Gateway;
const evidence = new Evidence(() => gateway);
beforeAll(async () => {
  gateway = await startGateway({
    env: {
      HOLDFAST_BOOTSTRAP_KEY: operatorKey,
      HOLDFAST_MAX_BODY_BYTES: String(maxBodyBytes),
      HOLDFAST_CORS_ORIGINS: origin,
      LOG_LEVEL: 'debug',
    },
  });
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

const messages = [{ role: 'user', content: promptMark }];
const routes: readonly { readonly path: string; readonly shape: Shape; readonly body: object }[] = [
  { path: '/v1/chat/completions', shape: 'openai', body: { model: 'fast', messages } },
  { path: '/v1/embeddings', shape: 'openai', body: { model: 'embed', input: promptMark } },
  { path: '/v1/messages', shape: 'anthropic', body: { model: 'smart', max_tokens: 9, messages } },
  { path: '/v1/messages/count_tokens', shape: 'anthropic', body: { model: 'smart', messages } },
  { path: '/api/keys', shape: 'envelope', body: { name: 'nobody' } },
];

describe.each(routes)('$path refuses in its own shape, and no provider hears of it:', ({ path, shape, body }) => {
  const text = JSON.stringify(body);
  const start = text.slice(0, -1);
  afterEach(() => expect(gateway.upstream.calls).toEqual([]));

  test.each([
    ['malformed JSON', start, 400, 'invalid_json'],
    ['an empty body', '', 400, 'invalid_json'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x7b]), 400, 'invalid_json'],
    ['JSON with something behind it', `${text}{}`, 400, 'invalid_json'],
    ['JSON that is no object', '[1]', 400, 'invalid_request'],
    ['an object without its fields', '{"x":1}', 400, 'invalid_request'],
    ['a body that is too deep', `${start},"x":${'['.repeat(70)}${']'.repeat(70)}}`, 400, 'body_too_deep'],
    ['a body that is far too deep', '['.repeat(500_000), 400, 'body_too_deep'],
    ['a body too large', `${start},"x":"${'a'.repeat(maxBodyBytes)}"}`, 413, 'body_too_large'],
  ])('%s', async (_what, given, status, code) => {
    expectError(await evidence.post(path, given), shape, status, code);
  });

  test('a body too large whose length nobody said', async () => {
    const part = Buffer.alloc(64 * 1024, 'a');
    const body = ReadableStream.from(Array.from({ length: maxBodyBytes / part.length + 1 }, () => part));
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    expectError(await evidence.send(path, init), shape, 413, 'body_too_large');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'json', ''])(
    'content type %j',
    async (type) => {
      expectError(
        await evidence.post(path, Buffer.from(text), { headers: { 'content-type': type } }),
        shape,
        415,
        'content_type_unsupported',
      );
    },
  );

  test.each(['DELETE', 'PUT', 'PATCH'])('the method %s', async (method) => {
    expectError(await evidence.send(path, { method }), shape, 405, 'method_not_allowed');
  });

  test.each<[string, string | null, Record<string, string>, string]>([
    ['no key', null, {}, 'key_missing'],
    ['another scheme', null, { authorization: 'Basic Zm9vOmJhcg==' }, 'key_missing'],
    ['a malformed key', 'nonsense', {}, 'key_malformed'],
    ['a key with one letter changed', `${createKeySecret(systemRandom).slice(0, -1)}!`, {}, 'key_malformed'],
    ['the key of another server', createKeySecret(systemRandom), {}, 'key_unknown'],
    ['a key of 12 KiB', 'k'.repeat(12 * 1024), {}, 'key_malformed'],
  ])('%s', async (_what, key, headers, code) => {
    const answer = await evidence.post(path, text, { key, headers });
    expectError(answer, shape, 401, code);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('and a browser’s page may read the refusal', async () => {
    const answer = await evidence.post(path, '{', { headers: { origin } });
    expectError(answer, shape, 400, 'invalid_json');
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    const foreign = await evidence.post(path, '{', { headers: { origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
  });
});

describe.each(routes.slice(0, 4))('$path refuses', ({ path, shape, body }) => {
  test.each([
    ['a member given twice', JSON.stringify(body).replace('{', '{"model":"fast",')],
    ['a member given twice in disguise', JSON.stringify(body).replace('{', '{"\\u006dodel":"fast",')],
    ['a model that is no text', JSON.stringify({ ...body, model: 7 })],
    ['a model name of 257 characters', JSON.stringify({ ...body, model: `primary/${'m'.repeat(249)}` })],
    ['no model name', JSON.stringify({ ...body, model: '' })],
  ])('%s', async (_what, given) => {
    expectError(await evidence.post(path, given), shape, 400, 'invalid_request');
  });

  test('a model that is not there, and one of a provider that is not there', async () => {
    for (const model of ['nothing', 'nobody/m', 'primary/', '/m', '__proto__', 'constructor', 'toString']) {
      expectError(await evidence.post(path, { ...body, model }), shape, 404, 'model_not_found');
    }
  });

  test('more parts than any call has, before anything is built of them', async () => {
    const answer = await evidence.post(path, `${JSON.stringify(body).slice(0, -1)},"x":[${'{},'.repeat(400_000)}{}]}`);
    expectError(answer, shape, 413, 'body_too_large');
  });
});

describe('fields of the wrong form are named', () => {
  test.each([
    ['stream: "yes"', { stream: 'yes' }, 'stream'],
    ['stream: 1', { stream: 1 }, 'stream'],
    ['messages: {}', { messages: {} }, 'messages'],
    ['messages: []', { messages: [] }, 'messages'],
    ['messages: [1]', { messages: [1] }, 'messages.0'],
    ['max_tokens: -1', { max_tokens: -1 }, 'max_tokens'],
    ['max_tokens: 1.5', { max_tokens: 1.5 }, 'max_tokens'],
    ['user: 5', { user: 5 }, 'user'],
  ])('%s', async (_what, body, field) => {
    const answer = await evidence.chat('fast', body);
    expectError(answer, 'openai', 400, 'invalid_request');
    expect(answer.json.error.param).toBe(field);
  });

  test('a million faults get a short answer, and the server lives on', async () => {
    const answer = await evidence.post('/v1/chat/completions', `{"model":"fast","messages":[${'1,'.repeat(1_000_000)}1]}`);
    expectError(answer, 'openai', 400, 'invalid_request');
    expect(answer.json.error.details.length).toBeLessThanOrEqual(20);
    expect((await evidence.send('/health')).status).toBe(200);
  });
});

describe('keys', () => {
  const createKey = async (body: object) => {
    const answer = await evidence.post('/api/keys', { name: 'test', ...body });
    expect(answer.status, answer.text).toBe(201);
    // Shown once on purpose: that answer is no evidence.
    evidence.answers.pop();
    return answer.json as { id: string; key: string };
  };

  test('without the scope open nothing, and the scope is named', async () => {
    const inference = await createKey({ scopes: ['inference'] });
    const usage = await createKey({ scopes: ['usage:read'] });
    for (const { path, shape, body } of routes.slice(0, 4)) {
      const answer = await evidence.post(path, body, { key: usage.key });
      expectError(answer, shape, 403, 'scope_missing');
      expect(answer.json.error.details).toEqual({ scope: 'inference' });
    }
    expectError(await evidence.send('/api/usage', { key: inference.key }), 'envelope', 403, 'scope_missing');
    expectError(await evidence.post('/api/keys', { name: 'x' }, { key: inference.key }), 'envelope', 403, 'scope_missing');
    expectError(await evidence.send('/v1/models', { key: usage.key }), 'openai', 403, 'scope_missing');
    expectError(
      await evidence.send('/v1/models', { key: usage.key, headers: { 'anthropic-version': '2023-06-01' } }),
      'anthropic',
      403,
      'scope_missing',
    );
    expect(gateway.upstream.calls).toEqual([]);
  });

  test('cannot make keys that may do more than themselves', async () => {
    const manager = await createKey({ scopes: ['keys:write', 'inference'], allowed_models: ['fast'] });
    const more = await evidence.post('/api/keys', { name: 'x', scopes: ['operator'] }, { key: manager.key });
    expect(more.status).toBe(403);
    const wider = await evidence.post('/api/keys', { name: 'x', allowed_models: ['smart'] }, { key: manager.key });
    expect(wider.status).toBeGreaterThanOrEqual(400);
  });

  test('with allowed models reach those alone, and do not learn which others exist', async () => {
    const { key } = await createKey({ scopes: ['inference'], allowed_models: ['fast'] });
    expect((await evidence.chat('fast', {}, { key })).status).toBe(200);
    for (const model of ['smart', 'nothing', 'primary/gpt-4o-mini', 'FAST', 'fast '])
      expectError(await evidence.chat(model, {}, { key }), 'openai', 403, 'model_not_allowed');
    expect((await evidence.send('/v1/models', { key })).json.data.map((model: { id: string }) => model.id)).toEqual(['fast']);
    expectError(await evidence.send('/v1/models/smart', { key }), 'openai', 404, 'model_not_found');
    expect(gateway.upstream.calls).toHaveLength(1);
  });

  test('that were revoked, or expired, are told so', async () => {
    const revoked = await createKey({ scopes: ['inference'] });
    const expiring = await createKey({ scopes: ['inference'], expires_at: new Date(systemClock.now() + 1_000).toISOString() });
    expect((await evidence.chat('fast', {}, { key: revoked.key })).status).toBe(200);
    expect((await evidence.chat('fast', {}, { key: expiring.key })).status).toBe(200);
    expect((await evidence.send(`/api/keys/${revoked.id}`, { method: 'DELETE' })).status).toBeLessThan(300);
    await expect.poll(async () => (await evidence.chat('fast', {}, { key: revoked.key })).json.error?.code).toBe('key_revoked');
    await expect
      .poll(async () => (await evidence.chat('fast', {}, { key: expiring.key })).json.error?.code, { timeout: 5_000 })
      .toBe('key_expired');
    expectError(await evidence.post('/v1/messages', routes[2]!.body, { key: revoked.key }), 'anthropic', 401, 'key_revoked');
  });
});

describe('what a client says of itself', () => {
  test('a request id that another call had makes a second row: both are found, neither is overwritten', async () => {
    const id = requestId();
    gateway.upstream.enqueue({ completionTokens: 3 }, { completionTokens: 5 });
    await evidence.chat('fast', { user: 'first' }, { headers: { 'x-request-id': id } });
    await evidence.chat('fast', { user: 'second' }, { headers: { 'x-request-id': id } });
    const rows = await gateway.rowsOf(id);
    expect(rows.map(({ end_user, completion_tokens }) => [end_user, completion_tokens])).toEqual([
      ['first', 3],
      ['second', 5],
    ]);
    expect(rows[0]!.id).not.toBe(rows[1]!.id);
  });

  test.each(['a b', 'ü', `x${'y'.repeat(128)}`, '"}', '../..', '${jndi:ldap://x}', 'z'.repeat(8_000)])(
    'the request id %.20j is replaced by one of ours',
    async (id) => {
      const answer = await evidence.chat('fast', {}, { headers: { 'x-request-id': Buffer.from(id).toString('latin1') } });
      const given = answer.headers.get('x-request-id')!;
      expect(given).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      expect(await gateway.rowsOf(given)).toHaveLength(1);
    },
  );

  test.each([
    ['CR and LF', 'a\r\nx-evil: 1', 'a\r\nx-evil: 1'],
    ['NUL', 'a\0b', 'ab'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
    ['an escape sequence', 'a\u001b[31mb', 'a\u001b[31mb'],
    ['other scripts', '模型-модель-🦊', '模型-модель-🦊'],
    ['quotes', `a"b\\c'd`, `a"b\\c'd`],
    ['248 characters', 'm'.repeat(248), 'm'.repeat(248)],
  ])('a model name with %s travels, is stored and injects nothing', async (_what, name, stored) => {
    const id = requestId();
    // Answered by the queue, since the scripted upstream reads model names as scripts.
    for (const stream of [false, true]) {
      gateway.upstream.enqueue({ chunks: 2 });
      const answer = await evidence.chat(`primary/${name}`, { stream }, { headers: { 'x-request-id': id } });
      expect([answer.status, answer.headers.get('x-evil')]).toEqual([200, null]);
      expect(answer.headers.get('x-holdfast-model')).toMatch(/^[\x21-\x7e]{0,256}$/);
      expectCommonHeaders(answer.headers);
    }
    expect(gateway.upstream.calls.map((call) => call.model)).toEqual([name, name]);
    const rows = await gateway.rowsOf(id);
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'completed', model_asked: `primary/${stored}`.slice(0, 256), provider: 'primary' });
      expect(row.attempts![0]!.model).toBe(stored);
    }
  });

  test.each([
    ['NUL', { user: 'a\0b', metadata: { feature: 'f\0g' } }, { end_user: 'ab', feature: 'fg' }],
    ['nothing but NUL', { user: '\0', metadata: { feature: '\0' } }, { end_user: '', feature: '' }],
    ['lone surrogates', { user: 'a\ud800', metadata: { feature: '\udfffb' } }, { end_user: 'a\ufffd', feature: '\ufffdb' }],
    ['a pair at the edge', { user: `${'a'.repeat(255)}🦊` }, { end_user: `${'a'.repeat(255)}\ufffd` }],
    [
      'a megabyte',
      { user: 'u'.repeat(1_000_000), metadata: { feature: 'f'.repeat(100_000) } },
      { end_user: 'u'.repeat(256), feature: 'f'.repeat(256) },
    ],
    ['JSON', { user: '","cost_nano_usd":0,"x":"' }, { end_user: '","cost_nano_usd":0,"x":"' }],
    ['no text', { metadata: { feature: { a: 1 }, user_id: 7 } }, { end_user: null, feature: null }],
    ['no object', { metadata: 'text' }, { end_user: null, feature: null }],
  ])('%s in `user` and `metadata` is kept as far as it can be stored', async (_what, body, stored) => {
    const id = requestId();
    const answer = await evidence.chat('fast', body, { headers: { 'x-request-id': id } });
    expect(answer.status).toBe(200);
    expect(await gateway.rowsOf(id)).toMatchObject([{ ...stored, outcome: 'completed' }]);
  });

  test('headers of any byte are stored', async () => {
    const id = requestId();
    const any = Array.from({ length: 128 }, (_, index) => String.fromCharCode(0x80 + index)).join('');
    await evidence.chat('fast', {}, { headers: { 'x-request-id': id, 'x-holdfast-feature': `f${any}`, 'x-holdfast-user': `u"\\${any}` } });
    expect(await gateway.rowsOf(id)).toMatchObject([{ feature: `f${any}`, end_user: `u"\\${any}` }]);
  });

  test('a text that PostgreSQL cannot hold finds nothing in a filter, and fails nothing', async () => {
    for (const filter of ['model', 'provider', 'end_user', 'feature', 'request_id']) {
      expectError(await evidence.send(`/api/usage?${filter}=a%00b`), 'envelope', 400, 'invalid_request');
      expect((await evidence.send(`/api/usage?${filter}=%F0%9F%A6%8A%ED%A0%80`)).status).toBe(200);
    }
  });
});

describe('members that mean something elsewhere', () => {
  test.each([
    ['n: 1e9', '"n":1000000000'],
    [
      'numbers beyond doubles',
      '"seed":1e400,"logit_bias":{"a":-1e400,"b":123456789012345678901234567890,"c":0.1000000000000000055511151231257827}',
    ],
    ['__proto__', '"__proto__":{"model":"smart","stream":true},"constructor":{"prototype":{"x":1}},"hasOwnProperty":1'],
    ['escapes and blanks', '"x" :\t"\\u00e9\\/" ,\n"y": [ ]'],
    ['unknown ones', '"brand_new":{"deep":[{"er":null}]}'],
  ])('%s pass on as the bytes that they are, streamed and not', async (_what, member) => {
    for (const stream of [false, true]) {
      gateway.upstream.enqueue({ choices: 1 });
      const body = (model: string, options: string) =>
        `{"model":"${model}",${member},"messages":[{"role":"user","content":"${promptMark}","__proto__":{"role":"system"}}]${options}}`;
      const answer = await evidence.post(
        '/v1/chat/completions',
        body('fast', stream ? ',"stream":true,"stream_options":{"include_usage":true}' : ''),
      );
      expect(answer.status, answer.text).toBe(200);
      expect(gateway.upstream.calls.at(-1)!.body.toString()).toBe(
        body('gpt-4o-mini', stream ? ',"stream":true,"stream_options":{"include_usage":true}' : ''),
      );
    }
  });

  test.each(['"__proto__":{"model":"fast"}', '"constructor":{"prototype":{"x":1}}', '"seed":1e400'])(
    '%s across dialects is carried or refused, never a fault of the server',
    async (member) => {
      const answer = await evidence.post(
        '/v1/chat/completions',
        `{"model":"smart",${member},"messages":[{"role":"user","content":"x","__proto__":{"role":"system"}}]}`,
      );
      expect([200, 400], answer.text).toContain(answer.status);
    },
  );
});

describe('every answer carries the common headers', () => {
  test.each<[string, RequestInit & { key?: string | null }]>([
    ['/health', {}],
    ['/health/ready', {}],
    ['/metrics', {}],
    ['/v1/models', {}],
    ['/v1/models/fast', {}],
    ['/api/usage', {}],
    ['/api/keys', {}],
    ['/nothing', {}],
    ['/%zz', {}],
    ['/v1/%2e%2e/api', {}],
    ['/api/keys', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } }],
    ['/v1/chat/completions', { method: 'HEAD' }],
  ])('%s %j', async (path, init) => {
    expectCommonHeaders((await evidence.send(path, init)).headers);
  });

  test('whole answers and streams of both dialects too, with CORS for those who may have it', async () => {
    for (const stream of [false, true]) {
      for (const [path, body] of [
        ['/v1/chat/completions', routes[0]!.body],
        ['/v1/messages', routes[2]!.body],
      ] as const) {
        const answer = await evidence.post(path, { ...body, stream }, { headers: { origin } });
        expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
        expect(answer.headers.get('content-type')).toContain(stream ? 'text/event-stream' : 'application/json');
        expectCommonHeaders(answer.headers);
      }
    }
  });
});

test('a path written with escapes is the same path: its errors have the same shape', async () => {
  expectError(await evidence.post('/%76%31/chat/completions', { model: 'nothing', messages }), 'openai', 404, 'model_not_found');
});

test('nothing of all this told a secret', () => {
  evidence.expectClean([operatorKey, 'sk-upstream-secret', 'sk-ant-upstream-secret', 'sk-down']);
});

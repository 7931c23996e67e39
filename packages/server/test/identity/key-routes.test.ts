import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import { apiKey, errorEnvelope, issuedKey, keyPage, rotatedKey } from '@holdfast/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHttpServer, initiatorOf, type HttpServer } from '../../src/entry/http/index.ts';
import { keyRoutes } from '../../src/features/identity/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, makeOrganization, startInstance, timeUntil, type Instance } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

let instance: Instance;
let http: HttpServer;
let acmeId: string;
/** Keys by what they may do. */
let operator: string;
let manager: string;
let caller: string;
let foreigner: string;

beforeEach(async () => {
  instance = await startInstance(await postgres.createDatabase());
  acmeId = await makeOrganization(instance.database, 'acme');
  const acme = actorOf(acmeId);
  const umbrella = actorOf(await makeOrganization(instance.database, 'umbrella'));
  operator = (
    await instance.service.create(acme, { name: 'operator', scopes: ['inference', 'usage:read', 'keys:write', 'audit:read', 'operator'] })
  ).secret;
  manager = (await instance.service.create(acme, { name: 'manager', scopes: ['keys:write', 'inference'], allowedModels: ['fast'] })).secret;
  caller = (await instance.service.create(acme, { name: 'caller', scopes: ['inference'] })).secret;
  foreigner = (await instance.service.create(umbrella, { name: 'foreigner', scopes: ['keys:write', 'inference'] })).secret;
  http = await createHttpServer({
    clock: systemClock,
    createId: createUuidV7(systemClock, systemRandom),
    authenticate: (secret) => instance.authenticator.authenticate(secret),
    version: '0.0.0',
  });
  await http.app.register(keyRoutes({ service: instance.service, principalOf: (request) => request.principal!, initiatorOf }));
  return async () => {
    await http.drain({ timeoutMs: 0 });
    await instance.close();
  };
});

type Answer = { readonly status: number; readonly body: any; readonly headers: Record<string, unknown> };

async function ask(secret: string | undefined, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown): Promise<Answer> {
  const answer = await http.app.inject({
    method,
    url,
    headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  return { status: answer.statusCode, body: JSON.parse(answer.body), headers: answer.headers };
}

function expectRefusal(answer: Answer, status: number, reason: string): void {
  expect(errorEnvelope.parse(answer.body).error).toMatchObject({ code: status, reason });
  expect(answer.status).toBe(status);
}

describe('POST /api/keys', () => {
  test('gives a key that works, once, and to be kept by no cache', async () => {
    const answer = await ask(operator, 'POST', '/api/keys', {
      name: ' chat ',
      allowed_models: ['fast'],
      expires_at: '2999-01-01T02:00:00+02:00',
    });
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store', location: `/api/keys/${answer.body.id}` } });
    const { key, ...shown } = issuedKey.parse(answer.body);
    expect(shown).toMatchObject({
      name: 'chat',
      status: 'active',
      scopes: ['inference'],
      allowed_models: ['fast'],
      expires_at: '2999-01-01T00:00:00.000Z',
    });
    expect(await instance.authenticator.authenticate(key)).toMatchObject({ keyId: shown.id, organizationId: acmeId });
    expect(apiKey.strict().parse((await ask(operator, 'GET', `/api/keys/${shown.id}`)).body)).toEqual(shown);
  });

  test.each([
    ['no name', {}],
    ['an empty name', { name: '  ' }],
    ['a NUL in the name', { name: 'a\u0000b' }],
    ['an unknown scope', { name: 'k', scopes: ['root'] }],
    ['no scope', { name: 'k', scopes: [] }],
    ['an empty list of models', { name: 'k', allowed_models: [] }],
    ['a time that passed', { name: 'k', expires_at: '2020-01-01T00:00:00Z' }],
    ['a date that is none', { name: 'k', expires_at: '2027-02-30T00:00:00Z' }],
    ['a misspelt field', { name: 'k', expires: '2999-01-01T00:00:00Z' }],
    ['an owner of its own choice', { name: 'k', organization_id: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01' }],
  ])('refuses %s and makes nothing', async (_, body) => {
    expectRefusal(await ask(operator, 'POST', '/api/keys', body), 400, 'invalid_request');
    expect((await ask(operator, 'GET', '/api/keys')).body.data).toHaveLength(3);
  });

  test('hands on no scope and no model that the asking key has not', async () => {
    expectRefusal(await ask(manager, 'POST', '/api/keys', { name: 'k', scopes: ['operator'] }), 403, 'scope_missing');
    expectRefusal(await ask(manager, 'POST', '/api/keys', { name: 'k', allowed_models: ['dear'] }), 403, 'model_not_allowed');
    expect((await ask(manager, 'POST', '/api/keys', { name: 'k', allowed_models: null })).body).toMatchObject({ allowed_models: ['fast'] });
  });
});

test('every route needs a key with the scope keys:write', async () => {
  const id = '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01';
  for (const [method, url, body] of [
    ['POST', '/api/keys', { name: 'k' }],
    ['GET', '/api/keys', undefined],
    ['GET', `/api/keys/${id}`, undefined],
    ['PATCH', `/api/keys/${id}`, { concurrent: 1 }],
    ['POST', `/api/keys/${id}/rotate`, undefined],
    ['DELETE', `/api/keys/${id}`, undefined],
  ] as const) {
    expectRefusal(await ask(undefined, method, url, body), 401, 'key_missing');
    expectRefusal(await ask('nonsense', method, url, body), 401, 'key_malformed');
    expectRefusal(await ask(caller, method, url, body), 403, 'scope_missing');
  }
});

describe('GET /api/keys', () => {
  test('pages through the keys of the own organization, without a secret', async () => {
    const first = keyPage.parse((await ask(operator, 'GET', '/api/keys?limit=2')).body);
    const second = keyPage.parse((await ask(operator, 'GET', `/api/keys?limit=2&cursor=${first.next_cursor}`)).body);
    expect([...first.data, ...second.data].map((key) => key.name)).toEqual(['caller', 'manager', 'operator']);
    expect(second.next_cursor).toBeNull();
    const text = JSON.stringify([first, second]);
    for (const secret of [operator, manager, caller]) expect(text).not.toContain(secret.slice(9));
  });

  test.each(['cursor=nonsense', 'cursor=AZqcUBGqfwCNEQxreo6fAQ%3D%3D', 'limit=0', 'limit=201', 'page=2'])('refuses ?%s', async (query) => {
    expectRefusal(await ask(operator, 'GET', `/api/keys?${query}`), 400, 'invalid_request');
  });
});

describe('a key of another organization', () => {
  test('is answered as one that does not exist', async () => {
    const { data } = (await ask(operator, 'GET', '/api/keys')).body;
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/rotate'],
      ['PATCH', ''],
      ['DELETE', ''],
    ] as const) {
      const body = method === 'PATCH' ? { concurrent: 1 } : undefined;
      const foreign = await ask(foreigner, method, `/api/keys/${data[0].id}${path}`, body);
      const none = await ask(foreigner, method, `/api/keys/019a9c50-11aa-7f00-8d11-0c6b7a8e9f01${path}`, body);
      expectRefusal(foreign, 404, 'resource_not_found');
      const said = ({ body }: Answer) => ({ ...body.error, request_id: undefined, timestamp: undefined });
      expect(said(foreign)).toEqual(said(none));
    }
  });
});

describe('PATCH /api/keys/:id', () => {
  const limits = { requests_per_minute: 60, tokens_per_minute: 90_000, concurrent: 4 };

  test('changes what is named, takes away what is null, and leaves the rest; a successor has the same limits', async () => {
    const made = (await ask(operator, 'POST', '/api/keys', { name: 'k', ...limits })).body;
    expect(apiKey.parse(made)).toMatchObject(limits);
    const changed = await ask(operator, 'PATCH', `/api/keys/${made.id}`, { name: 'support', requests_per_minute: 70, concurrent: null });
    expect(changed.status).toBe(200);
    expect(apiKey.strict().parse(changed.body)).toMatchObject({ ...limits, name: 'support', requests_per_minute: 70, concurrent: null });
    const { body: next } = await ask(operator, 'POST', `/api/keys/${made.id}/rotate`);
    expect(next).toMatchObject({ requests_per_minute: 70, tokens_per_minute: 90_000, concurrent: null });
    expect(await instance.authenticator.authenticate(next.key)).toMatchObject({
      rateLimits: { requestsPerMinute: 70, tokensPerMinute: 90_000, concurrent: undefined },
    });
  });

  test.each([{}, { concurrent: 0 }, { concurrent: 1.5 }, { tokens_per_minute: 1e12 }, { name: ' ' }, { scopes: ['operator'] }])(
    'refuses %j',
    async (body) => {
      const { id } = (await ask(operator, 'POST', '/api/keys', { name: 'k' })).body;
      expectRefusal(await ask(operator, 'PATCH', `/api/keys/${id}`, body), 400, 'invalid_request');
    },
  );

  test('gives nobody more than their own key has: neither a new key, nor another, nor itself', async () => {
    const limited = (await ask(operator, 'POST', '/api/keys', { name: 'limited', scopes: ['keys:write', 'inference'], ...limits })).body;
    const made = await ask(limited.key, 'POST', '/api/keys', { name: 'child', tokens_per_minute: 5 });
    expect(made.body).toMatchObject({ ...limits, tokens_per_minute: 5 });
    for (const more of [{ concurrent: 5 }, { concurrent: null }]) {
      expectRefusal(await ask(limited.key, 'POST', '/api/keys', { name: 'child', ...more }), 400, 'invalid_request');
      for (const id of [made.body.id, limited.id]) {
        const refused = await ask(limited.key, 'PATCH', `/api/keys/${id}`, more);
        expectRefusal(refused, 400, 'invalid_request');
        expect(refused.body.error.details).toEqual([expect.objectContaining({ field: 'concurrent' })]);
      }
    }
    expect((await ask(limited.key, 'PATCH', `/api/keys/${limited.id}`, { concurrent: 3 })).body).toMatchObject({ concurrent: 3 });
    // A key without limits would hand its secret to one that has some.
    const free = (await ask(operator, 'POST', '/api/keys', { name: 'free' })).body;
    expectRefusal(await ask(limited.key, 'POST', `/api/keys/${free.id}/rotate`), 400, 'invalid_request');
    expect((await ask(limited.key, 'PATCH', `/api/keys/${free.id}`, { name: 'a better name' })).status).toBe(200);
  });

  test('counts for a key that is in memory within a second', async () => {
    const { id, key } = (await ask(operator, 'POST', '/api/keys', { name: 'k' })).body;
    expect((await instance.authenticator.authenticate(key)).rateLimits).toBeUndefined();
    await ask(operator, 'PATCH', `/api/keys/${id}`, { concurrent: 1 });
    await timeUntil(1_000, async () => (await instance.authenticator.authenticate(key)).rateLimits?.concurrent === 1);
  });
});

describe('POST /api/keys/:id/rotate', () => {
  test('without a body gives a successor and a day of grace', async () => {
    const { id } = (await ask(operator, 'POST', '/api/keys', { name: 'k' })).body;
    const answer = await ask(operator, 'POST', `/api/keys/${id}/rotate`);
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    const next = rotatedKey.parse(answer.body);
    expect(await instance.authenticator.authenticate(next.key)).toMatchObject({ keyId: next.id });
    const old = apiKey.parse((await ask(operator, 'GET', `/api/keys/${id}`)).body);
    expect(old).toMatchObject({ status: 'replaced', replaced_by: next.id, expires_at: next.replaces.expires_at });
    expectRefusal(await ask(operator, 'POST', `/api/keys/${id}/rotate`), 409, 'conflict');
  });

  test.each([{ grace_seconds: -1 }, { grace_seconds: 30 * 86_400 + 1 }, { grace_seconds: 0.5 }, { grace: 0 }])(
    'refuses %j',
    async (body) => {
      const { id } = (await ask(operator, 'POST', '/api/keys', { name: 'k' })).body;
      expectRefusal(await ask(operator, 'POST', `/api/keys/${id}/rotate`, body), 400, 'invalid_request');
    },
  );
});

describe('DELETE /api/keys/:id', () => {
  test('ends the key and may be repeated', async () => {
    const { id, key } = (await ask(operator, 'POST', '/api/keys', { name: 'k', scopes: ['keys:write'] })).body;
    const first = await ask(operator, 'DELETE', `/api/keys/${id}`);
    expect(first).toMatchObject({ status: 200, body: { id, status: 'revoked' } });
    expect((await ask(operator, 'DELETE', `/api/keys/${id}`)).body).toEqual(first.body);
    await timeUntil(1_000, async () => (await ask(key, 'GET', '/api/keys')).status === 401);
    expectRefusal(await ask(key, 'GET', '/api/keys'), 401, 'key_revoked');
  });

  test('never takes the last operator key', async () => {
    const { data } = (await ask(operator, 'GET', '/api/keys')).body;
    const own = data.find((key: { name: string }) => key.name === 'operator');
    expectRefusal(await ask(operator, 'DELETE', `/api/keys/${own.id}`), 409, 'conflict');
    expect((await ask(operator, 'GET', '/api/keys')).status).toBe(200);
  });

  test('refuses what is no id', async () => {
    expectRefusal(await ask(operator, 'DELETE', '/api/keys/hf_1'), 400, 'invalid_request');
  });
});

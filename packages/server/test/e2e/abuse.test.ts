import { randomBytes } from 'node:crypto';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BanBody } from '@holdfast/contracts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startServer, type RunningServer } from '../support/server.ts';

const operatorKey = 'operator-bootstrap-key-0123456789-abcdef';

let postgres: TestDatabase;
let database: TestDatabase;
let proxy: DatabaseProxy;
let env: Record<string, string>;
/** Two instances of one fleet. The first reaches the database over a network that can fail, and limits no requests. */
let here: RunningServer;
let there: RunningServer;

beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.createDatabase({ migrated: false });
  proxy = await startDatabaseProxy(database.target);
  env = { HOLDFAST_MASTER_KEY: randomBytes(32).toString('hex'), HOLDFAST_BOOTSTRAP_KEY: operatorKey, HOLDFAST_TRUSTED_PROXIES: 'loopback' };
  here = await start({ DATABASE_URL: urlOf(proxy.target), RATE_LIMIT_ENABLED: 'false' });
  there = await start();
});
afterAll(async () => {
  await Promise.all([here.stop(), there.stop()]);
  await proxy.stop();
  await postgres.stop();
});

const urlOf = (target: TestDatabase['target']): string => (target.kind === 'url' ? target.url : '');
const start = (over: Record<string, string> = {}): Promise<RunningServer> =>
  startServer({ key: operatorKey, env: { DATABASE_URL: urlOf(database.target), ...env, ...over } });

interface From {
  readonly address: string;
  readonly key?: string;
  readonly init?: RequestInit;
}

/** As a client behind the proxy that the servers trust. */
async function call(
  server: RunningServer,
  path: string,
  { address, key, init = {} }: From,
): Promise<{ status: number; headers: Headers; json: any }> {
  const headers = {
    'x-forwarded-for': address,
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(init.body !== undefined && init.body !== null && { 'content-type': 'application/json' }),
  };
  const response = await fetch(server.url + path, { ...init, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}

/** What the operator asks of `/api/bans`, from the machine itself. */
const operator = (server: RunningServer, path = '', init?: RequestInit) =>
  call(server, `/api/bans${path}`, { address: '127.0.0.1', key: operatorKey, ...(init && { init }) });
const ban = (server: RunningServer, body: object) => operator(server, '', { method: 'POST', body: JSON.stringify(body) });
const lift = (server: RunningServer, id: string) => operator(server, `/${id}`, { method: 'DELETE' });

/** A path that needs no key and is no probe. */
const statusOf = async (server: RunningServer, address: string, key?: string): Promise<number> =>
  (await call(server, '/openapi.json', { address, ...(key !== undefined && { key }) })).status;
const within = { timeout: 1_000, interval: 10 };
const untilStatus = (server: RunningServer, address: string, status: number) =>
  expect.poll(() => statusOf(server, address), within).toBe(status);

async function scan(server: RunningServer, address: string, paths = 30): Promise<void> {
  for (let at = 0; at < paths; at++) await call(server, `/admin-${at}`, { address });
}

const linesOf = (server: RunningServer): Record<string, any>[] =>
  server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, any>);

describe('whoever scans', () => {
  const address = '203.0.113.10';

  test('is refused after some twenty paths that do not exist, by every instance within a second, until the ban is lifted', async () => {
    await scan(here, address);
    const refused = await call(here, '/openapi.json', { address });
    expect(refused.status).toBe(403);
    expect(refused.json.error).toMatchObject({ reason: 'address_banned', category: 'authorization' });
    expect(refused.json.error.details).toBeUndefined();
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(290);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(300);
    await untilStatus(there, address, 403);

    // Nobody else, and neither probes nor metrics.
    expect(await statusOf(there, '203.0.113.11')).toBe(200);
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect((await call(here, path, { address })).status, path).toBe(200);

    const listed = (await operator(there)).json.data.find((each: BanBody) => each.range === address) as BanBody;
    expect(listed).toMatchObject({ reason: 'endpoint_scanning', source: 'automatic', repeats: 0, banned_by: null });
    expect((await lift(there, listed.id)).json).toEqual(listed);
    expect(await statusOf(there, address)).toBe(200);
    await untilStatus(here, address, 200);
    expect((await lift(here, listed.id)).status).toBe(404);
  });

  test('is in the log and in the metrics of the instance that found them, once, by a pseudonym that leads to the address only there', async () => {
    const found = (server: RunningServer) => linesOf(server).filter(({ detector }) => detector === 'endpoint_scanning');
    const pseudonym = found(here)[0]!['client'];
    expect(pseudonym).toMatch(/^ip_[0-9a-f]{16}$/);
    expect(found(here)).toEqual([
      expect.objectContaining({ level: 'warn', until: expect.any(String), paths: 21, examples: expect.any(Array) }),
    ]);
    expect(found(there)).toEqual([]);
    expect(linesOf(here).filter(({ msg, client }) => msg === 'request' && client === pseudonym).length).toBeGreaterThan(20);
    expect(linesOf(there).filter(({ msg, client }) => msg === 'request' && client === pseudonym).length).toBeGreaterThan(0);
    for (const server of [here, there]) expect(server.output()).not.toContain(address);
    // The ban has been lifted, and its line still tells whoever has the machine whom it was about.
    const { ban_id } = found(here)[0] as { ban_id: string };
    expect((await here.cli('bans', 'show', ban_id)).out).toMatch(/^203\.0\.113\.10 was banned at .*; it is not banned now\.\n$/);
    expect((await operator(here, `/${ban_id}`)).status).toBe(404);
    const metrics = await (await fetch(`${here.url}/metrics`)).text();
    expect(metrics).toContain('holdfast_abuse_events_total{detector="endpoint_scanning"} 1');
    expect(metrics).toMatch(/^holdfast_bans_active 0$/m);
    expect(metrics).not.toContain(address);
  });

  test('is found out although a limit on requests answers most of them', async () => {
    const client = '203.0.113.13';
    await scan(there, client);
    expect(await statusOf(there, client)).toBe(403);
    for (let at = 0; at < 11; at++) await call(there, '/v1/models', { address: '203.0.113.14', key: `hf_guess${at}` });
    expect(await statusOf(there, '203.0.113.14')).toBe(403);
  });

  test('is not refused for asking with a good key, on /v1 or anywhere, nor for models that do not exist', async () => {
    const client = '203.0.113.12';
    for (let at = 0; at < 40; at++) {
      expect((await call(here, `/v1/unknown-${at}`, { address: client, key: operatorKey })).status).toBe(404);
      expect((await call(here, `/v1/models/unknown-${at}`, { address: client, key: operatorKey })).status).toBe(404);
      expect((await call(here, `/chat/completions-${at}`, { address: client, key: operatorKey })).status).toBe(404);
    }
    expect(await statusOf(here, client)).toBe(200);
  });
});

describe('whoever guesses keys', () => {
  test('is refused, and the SDK says so', async () => {
    const address = '203.0.113.20';
    const sdk = (apiKey: string) =>
      new OpenAI({ baseURL: `${here.url}/v1`, apiKey, maxRetries: 0, defaultHeaders: { 'x-forwarded-for': address } });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const outcome = (apiKey: string) =>
      sdk(apiKey)
        .chat.completions.create({ model: 'sandbox/demo', messages })
        .then(
          () => 'answered',
          (error: unknown) => error,
        );
    for (let at = 0; at < 11; at++) expect(await outcome(`hf_guess${at}`)).toBeInstanceOf(OpenAI.AuthenticationError);
    const refusal = await outcome('hf_guess11');
    expect(refusal).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(refusal).toMatchObject({ status: 403, code: 'address_banned' });
    const banned = (await operator(here)).json.data as BanBody[];
    expect(banned).toContainEqual(expect.objectContaining({ range: address, reason: 'key_guessing' }));
    // Many people may sit behind an address: one who has a key is not made to pay for the others.
    expect(await outcome(operatorKey)).toBe('answered');
    expect(await outcome('hf_guess12')).toMatchObject({ status: 403 });
  });

  test('is not somebody who shows one old key again and again', async () => {
    const address = '203.0.113.21';
    for (let at = 0; at < 40; at++) expect((await call(here, '/v1/models', { address, key: 'hf_old' })).status).toBe(401);
    const made = await call(here, '/api/keys', {
      address,
      key: operatorKey,
      init: { method: 'POST', body: JSON.stringify({ name: 'short' }) },
    });
    await call(here, `/api/keys/${made.json.id}`, { address, key: operatorKey, init: { method: 'DELETE' } });
    await expect
      .poll(async () => (await call(here, '/v1/models', { address, key: made.json.key })).json.error.code, within)
      .toBe('key_revoked');
    expect(await statusOf(here, address)).toBe(200);
  });
});

describe('an operator', () => {
  test('bans a range for every key, at every instance, and lifts it', async () => {
    const made = await ban(here, { range: '198.51.100.77/24', note: 'ticket 4711', ends_at: '2030-01-01T00:00:00+01:00' });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/api/bans/${made.json.id}`);
    expect(made.json).toMatchObject({
      range: '198.51.100.0/24',
      reason: 'manual',
      source: 'manual',
      ends_at: '2029-12-31T23:00:00.000Z',
      note: 'ticket 4711',
      banned_by: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await statusOf(here, '198.51.100.200', operatorKey)).toBe(403);
    await untilStatus(there, '198.51.100.1', 403);
    expect(await statusOf(there, '198.51.101.1')).toBe(200);
    expect((await operator(there, `/${made.json.id}`)).json).toEqual(made.json);
    expect((await lift(there, made.json.id)).status).toBe(200);
    await untilStatus(here, '198.51.100.200', 200);
  });

  test.each([
    ['loopback', { range: '127.0.0.1' }, 'range', /never banned/],
    ['the address that they ask from', { range: '203.0.113.0/24' }, 'range', /you ask from/],
    ['the whole world', { range: '2000::/3' }, 'range', /wider than/],
    ['what is no address', { range: 'example.com' }, 'range', /neither an address nor/],
    ['until yesterday', { range: '198.51.100.1', ends_at: '2020-01-01T00:00:00Z' }, 'ends_at', /future/],
    ['with a field that nobody knows', { range: '198.51.100.1', until: '2030-01-01T00:00:00Z' }, 'until', /known/],
  ])('cannot ban %s', async (_what, body, field, message) => {
    const refused = await call(here, '/api/bans', {
      address: '203.0.113.30',
      key: operatorKey,
      init: { method: 'POST', body: JSON.stringify(body) },
    });
    expect(refused.status).toBe(400);
    expect(refused.json.error.reason).toBe('invalid_request');
    expect(refused.json.error.details).toEqual([{ field, message: expect.stringMatching(message) }]);
  });

  test('reads the list in pages, and nobody else does', async () => {
    for (let at = 1; at <= 5; at++) await ban(here, { range: `192.0.2.${at}` });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = (await operator(here, `?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)).json as {
        data: BanBody[];
        next_cursor: string | null;
      };
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map(({ range }) => range));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen.filter((range) => range.startsWith('192.0.2.'))).toHaveLength(5);
    expect(new Set(seen).size).toBe(seen.length);
    expect((await operator(here, '?cursor=nonsense')).json.error.reason).toBe('invalid_request');
    expect((await lift(here, 'nonsense')).status).toBe(404);
    const weak = await call(here, '/api/keys', {
      address: '127.0.0.1',
      key: operatorKey,
      init: { method: 'POST', body: JSON.stringify({ name: 'weak', scopes: ['keys:write'] }) },
    });
    expect((await call(here, '/api/bans', { address: '127.0.0.1', key: weak.json.key })).status).toBe(403);
    expect((await call(here, '/api/bans', { address: '127.0.0.1' })).status).toBe(401);
  });

  test('does the same at the command line, beside servers that run', async () => {
    const added = await there.cli('bans', 'add', '192.0.2.99', '--until', '1h', '--note', 'by hand');
    expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^192\.0\.2\.99 is banned until .*Z\.\n$/) });
    await untilStatus(here, '192.0.2.99', 403);
    expect(await there.cli('bans', 'lift', '192.0.2.99')).toMatchObject({ code: 0, out: 'The ban of 192.0.2.99 is lifted.\n' });
    await untilStatus(here, '192.0.2.99', 200);
  });
});

describe('a ban', () => {
  test('is known to the others within a second although their listening connections are cut again and again', async () => {
    const cut = () =>
      database.asSuperuser(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast listen' and datname = current_database()`,
      );
    await cut();
    const { json } = await ban(here, { range: '192.0.2.50' });
    await expect.poll(async () => (await cut(), statusOf(there, '192.0.2.50')), within).toBe(403);
    await lift(here, json.id);
    await expect.poll(async () => (await cut(), statusOf(there, '192.0.2.50')), within).toBe(200);
  });

  test('outlives a restart', async () => {
    const { json } = await ban(here, { range: '192.0.2.60' });
    await there.stop();
    there = await start();
    expect(await statusOf(there, '192.0.2.60')).toBe(403);
    await lift(there, json.id);
  });

  test('holds while the database is away, new ones too, and all instances know when it is back', async () => {
    await ban(here, { range: '192.0.2.70' });
    proxy.cut();
    await scan(here, '203.0.113.71');
    expect(await statusOf(here, '203.0.113.71')).toBe(403);
    expect(await statusOf(here, '192.0.2.70')).toBe(403);
    expect((await ban(here, { range: '192.0.2.71' })).json.error.reason).toBe('database_unavailable');
    expect(await statusOf(here, '192.0.2.71')).toBe(200);
    expect(await statusOf(there, '203.0.113.71')).toBe(200);
    proxy.restore();
    await expect.poll(() => statusOf(there, '203.0.113.71'), { timeout: 5_000, interval: 20 }).toBe(403);
    const words = linesOf(here).map(({ msg }) => msg as string);
    expect(words.filter((text) => text.startsWith('bans cannot be shared'))).toHaveLength(1);
    await expect.poll(() => here.output()).toContain('bans are shared again');
  });
});

describe('another configuration', () => {
  test('without trusted proxies nobody is taken for whom the header names', async () => {
    await ban(here, { range: '192.0.2.80' });
    const server = await start({ HOLDFAST_TRUSTED_PROXIES: '', RATE_LIMIT_ENABLED: 'false' });
    try {
      expect(await statusOf(server, '192.0.2.80')).toBe(200);
      await scan(server, '203.0.113.81');
      expect(await statusOf(server, '203.0.113.81')).toBe(200);
      // All of it came from loopback, which is never banned.
      expect((await operator(server)).json.data.map(({ range }: BanBody) => range)).not.toContain('203.0.113.81');
      expect(linesOf(server).filter(({ client }) => client === '192.0.2.80')).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

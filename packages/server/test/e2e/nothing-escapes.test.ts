import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { systemClock } from '@holdfast/kit/time';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCollector, type Collector } from '../escapes/collector.ts';
import { markedExample, routesOf, type ApiDocument, type DescribedRoute } from '../escapes/described-routes.ts';
import { hostileRequests, markedHeaders, type HostileRequest } from '../escapes/hostile-requests.ts';
import { leakyModels, startLeakyProvider, type LeakyProvider } from '../escapes/leaky-provider.ts';
import { knownNumbers, Marks, type Escape } from '../escapes/marks.ts';
import { storedTexts } from '../escapes/stored-texts.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startServer, type RunningServer } from '../support/server.ts';
import { roomyRateLimits } from './fixture.ts';

/** What the server must keep to itself in any answer: its own secrets, as they stand in its configuration. */
const own = new Marks('zqxk7vw', { numbers: false });
/** What callers send, which must not be written down anywhere. */
const marks = new Marks('jwyq4vz');

const operatorKey = `operator-${own.word('bootstrap key')}-0123456789-abcdef`;

let postgres: TestDatabase;
let provider: LeakyProvider;
let collector: Collector;
let server: RunningServer;
let document: ApiDocument;
let routes: DescribedRoute[];

interface Answer {
  readonly what: string;
  readonly requestId: string;
  readonly status: number;
  readonly text: string;
}
const answers: Answer[] = [];

beforeAll(async () => {
  postgres = await startTestDatabase();
  provider = await startLeakyProvider();
  collector = await startCollector();
  server = await startServer({
    key: operatorKey,
    env: {
      DATABASE_URL: postgres.target.kind === 'url' ? postgres.target.url : '',
      HOLDFAST_MASTER_KEY: randomBytes(32).toString('hex'),
      HOLDFAST_BOOTSTRAP_KEY: operatorKey,
      HOLDFAST_TRUSTED_PROXIES: 'loopback',
      HOLDFAST_ABUSE_SHADOW: 'true',
      // The machine of a test has other things to do as well.
      HOLDFAST_OVERLOAD_ENABLED: 'false',
      LOG_LEVEL: 'trace',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/otlp`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      HOLDFAST_ALERTS_WEBHOOK_URL: `${collector.url}/alerts/${own.word('path of a webhook')}`,
      HOLDFAST_ALERTS_WEBHOOK_SECRET: `whsec_${Buffer.from(own.word('secret of a webhook').padEnd(32, 'x')).toString('base64')}`,
      SENTRY_DSN: `${collector.url.replace('//', '//key@')}/sentry/1`,
      HOLDFAST_SENTRY_CATEGORIES: 'internal,database,ai_service',
      REDIS_URL: `redis://user:${own.word('password of Redis')}@127.0.0.1:9/0`,
    },
    config: configuration(),
  });
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as ApiDocument;
  routes = routesOf(document);
});
afterAll(async () => {
  await server?.stop();
  provider?.close();
  collector?.close();
  await postgres?.stop();
});

function configuration() {
  const once = { retry: { attempts: 1 }, breaker: { enabled: false } };
  return {
    rateLimits: roomyRateLimits,
    providers: {
      leaky: { kind: 'openai', baseUrl: provider.url, apiKey: own.secrets('key of a provider') },
      // Looks like no known kind of key: only whoever knows it can take it out.
      odd: { kind: 'openai', baseUrl: provider.url, apiKey: own.word('odd key of a provider') },
      lab: { kind: 'sandbox' },
    },
    models: {
      fast: { targets: ['lab/demo'], ...once },
      embed: { targets: ['lab/demo'], ...once },
      guarded: { targets: ['lab/guarded'] },
      ...Object.fromEntries(
        ['leaky', 'odd'].flatMap((name) => leakyModels.map((model) => [`${name}-${model}`, { targets: [`${name}/${model}`], ...once }])),
      ),
      retried: {
        targets: ['odd/status-500', 'leaky/status-500', 'lab/demo'],
        breaker: { enabled: false },
        retry: { attempts: 2, firstDelayMs: 1 },
      },
    },
  };
}

let sent = 0;
async function send(request: HostileRequest): Promise<Answer> {
  const requestId = `escape-${++sent}`;
  const key = request.key === undefined ? operatorKey : request.key;
  const response = await fetch(server.url + request.path, {
    method: request.method,
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...request.headers, 'x-request-id': requestId },
    ...(request.body !== undefined && { body: request.body }),
  });
  const answer = {
    what: request.what,
    requestId,
    status: response.status,
    text: `${[...response.headers].join('\n')}\n${await response.text()}`,
  };
  answers.push(answer);
  return answer;
}

const json = { 'content-type': 'application/json' };
const bodyOf = (answer: Answer): any => JSON.parse(answer.text.slice(answer.text.lastIndexOf('\n') + 1));

/** Paths of requests that succeed, where the example of the description names what does not exist here. */
const preparations: Record<string, () => Promise<{ path?: string; body?: unknown }>> = {
  'GET /v1/models/{name}': async () => ({ path: '/v1/models/fast' }),
  'GET /api/keys/{id}': async () => ({ path: `/api/keys/${await makeKey()}` }),
  'PATCH /api/keys/{id}': async () => ({ path: `/api/keys/${await makeKey()}`, body: { name: marks.word('new name of a key') } }),
  'DELETE /api/keys/{id}': async () => ({ path: `/api/keys/${await makeKey()}` }),
  'POST /api/keys/{id}/rotate': async () => ({ path: `/api/keys/${await makeKey()}/rotate` }),
  'GET /api/organizations/{id}': async () => ({ path: `/api/organizations/${await organizationId()}` }),
  'PATCH /api/organizations/{id}': async () => ({ path: `/api/organizations/${await organizationId()}`, body: { tier: 'unlimited' } }),
  'POST /api/budgets': async () => ({ body: newBudget() }),
  'GET /api/budgets/{id}': async () => ({ path: `/api/budgets/${await makeBudget()}` }),
  'PATCH /api/budgets/{id}': async () => ({
    path: `/api/budgets/${await makeBudget()}`,
    body: { name: marks.word('new name of a budget') },
  }),
  'DELETE /api/budgets/{id}': async () => ({ path: `/api/budgets/${await makeBudget()}` }),
  'POST /api/bans': async () => ({ body: { range: knownNumbers.ipv6, note: marks.everything('note of a ban') } }),
  'GET /api/bans/{id}': async () => ({ path: `/api/bans/${await makeBan()}` }),
  'DELETE /api/bans/{id}': async () => ({ path: `/api/bans/${await makeBan()}` }),
  'GET /api/request-log/{id}': async () => ({ path: `/api/request-log/${await loggedRequest()}` }),
  'GET /api/audit/events/{id}': async () => ({ path: `/api/audit/events/${await loggedEvent()}` }),
  'GET /api/audit/events/{id}/proof': async () => ({ path: `/api/audit/events/${await loggedEvent()}/proof` }),
  'GET /api/audit/consistency': async () => ({ path: '/api/audit/consistency?from=1' }),
  'GET /api/audit/activity/users/{id}': async () => ({ path: `/api/audit/activity/users/${await organizationId()}` }),
  'GET /api/audit/reports/{name}': async () => ({ path: '/api/audit/reports/security-incidents' }),
  'GET /api/audit/reports/{name}/page': async () => ({ path: '/api/audit/reports/personal-data/page' }),
  'GET /api/audit/activity/organizations/{id}': async () => ({ path: `/api/audit/activity/organizations/${await organizationId()}` }),
  'GET /api/alerts/{id}': async () => ({ path: `/api/alerts/${await makeAlert()}` }),
  'POST /api/alerts/{id}/acknowledge': async () => ({
    path: `/api/alerts/${await makeAlert()}/acknowledge`,
    body: { note: marks.everything('note of an acknowledgement') },
  }),
  'POST /api/alerts/silences': async () => ({ body: silence() }),
  'DELETE /api/alerts/silences/{id}': async () => ({
    path: `/api/alerts/silences/${bodyOf(await post('/api/alerts/silences', silence())).id}`,
  }),
  'POST /api/costs/estimate': async () => ({ body: { model: 'fast', usage: { prompt_tokens: 1000, completion_tokens: 500 } } }),
  'POST /api/alerts/test': async () => ({ body: {} }),
  // Everything that can be logged is searched.
  'POST /api/personal-data/erase': async () => ({ body: { organization_id: null, kind: 'text', value: 'nothing' } }),
  'POST /api/log-level': async () => ({ body: { level: 'trace' } }),
  'POST /api/circuit-breakers/open': async () => ({ body: { name: 'lab/guarded' } }),
  'POST /api/circuit-breakers/close': async () => ({ body: { name: 'lab/guarded' } }),
};

const post = (at: string, body: unknown) =>
  send({ what: `POST ${at}`, method: 'POST', path: at, headers: json, body: JSON.stringify(body) });
const silence = () => ({
  matchers: [{ label: 'rule', value: marks.word('matcher of a silence') }],
  ends_at: new Date(systemClock.now() + 3_600_000).toISOString(),
  reason: marks.everything('reason of a silence'),
});
const makeKey = async (): Promise<string> => bodyOf(await post('/api/keys', { name: marks.word('name of a key') })).id;
const newBudget = () => ({
  name: marks.word('name of a budget'),
  subject: 'organization',
  period: 'total',
  limit_usd: '900000',
  enforcement: 'soft',
});
const makeBudget = async (): Promise<string> => bodyOf(await post('/api/budgets', newBudget())).id;
const makeBan = async (): Promise<string> => bodyOf(await post('/api/bans', { range: '203.0.113.77' })).id;
/** What no caller can make. */
const makeAlert = async (): Promise<string> =>
  (
    await postgres.asSuperuser<{ id: string }>(
      `insert into holdfast.alerts select gen_random_uuid(), gen_random_uuid()::text, 'planted', '{}', 'info', 'count', 'planted', 'firing', now(),
         now(), null, null, 0, 1, 0, 'above', null returning id`,
    )
  )[0]!.id;
const organizationId = async (): Promise<string> =>
  bodyOf(await send({ what: 'organizations', method: 'GET', path: '/api/organizations', headers: {} })).data[0].id;

/** Of one that has its place and its checkpoint already. */
async function loggedEvent(): Promise<string> {
  const list = () => send({ what: 'audit events', method: 'GET', path: '/api/audit/events?limit=200', headers: {} });
  await expect.poll(async () => bodyOf(await list()).data.length, { timeout: 5_000 }).toBeGreaterThan(0);
  return bodyOf(await list()).data.at(-1).id;
}

/** Of one that is written down already: that is done in groups, beside the requests. */
async function loggedRequest(): Promise<string> {
  const list = () => send({ what: 'request log', method: 'GET', path: '/api/request-log?limit=1', headers: {} });
  await expect.poll(async () => bodyOf(await list()).data.length, { timeout: 5_000 }).toBe(1);
  return bodyOf(await list()).data[0].id;
}

describe('with marks wherever a caller may write', () => {
  test('every route serves a good request', async () => {
    // Calls first: then there is something to read.
    await post('/v1/chat/completions', { model: 'leaky/answer', messages: [{ role: 'user', content: marks.everything('a prompt') }] });
    for (const route of routes) {
      const prepared = (await preparations[route.name]?.()) ?? {};
      const body =
        prepared.body ?? (route.body && markedExample(document, route.body.schema, route.body.example, marks, `body of ${route.name}`));
      const named = route.body && prepared.body === undefined ? { ...(body as object), ...ownModel(route) } : body;
      const answer = await send({
        what: `${route.name}: a good request`,
        method: route.method,
        path: prepared.path ?? route.path,
        headers: { ...markedHeaders(marks, route.name), ...(named !== undefined && json) },
        ...(named !== undefined && { body: JSON.stringify(named) }),
      });
      expect([route.name, answer.status < 300 ? 'served' : answer.text], 'a route needs a line among the preparations above').toEqual([
        route.name,
        'served',
      ]);
    }
  });

  test('every route refuses bad ones', async () => {
    for (const route of routes) for (const request of hostileRequests(document, route, marks)) await send(request);
    // A request id is written down as it came.
    await fetch(`${server.url}/v1/models`, { headers: { 'x-request-id': marks.secrets('a request id') } });
  });

  // Before the providers: reports of errors are bounded to sixty a minute.
  test('the database refuses what it is given, and quotes it', async () => {
    await postgres.asSuperuser(`alter table holdfast.api_keys add constraint planted check (name not like '%refused%')`);
    expect((await post('/api/keys', { name: `${marks.word('name that the database refuses')} refused` })).status).toBe(500);
    await postgres.asSuperuser(`alter table holdfast.api_keys drop constraint planted`);
    await postgres.asSuperuser(
      `create function public.planted() returns trigger language plpgsql as $$ begin raise exception 'refused: %', new using detail = new.note, hint = new.note; end $$;
       create trigger planted before insert on holdfast.bans for each row execute function public.planted()`,
    );
    expect(
      (await post('/api/bans', { range: knownNumbers.ipv4, note: marks.everything('note that the database refuses') })).status,
    ).toBeGreaterThanOrEqual(500);
    await postgres.asSuperuser(`drop trigger planted on holdfast.bans; drop function public.planted()`);
  });

  test('providers repeat prompt and key in all that they answer', async () => {
    const models = [...leakyModels.flatMap((name) => [`leaky-${name}`, `odd-${name}`]), 'retried'];
    await Promise.all(
      [false, true].flatMap((stream) =>
        models.flatMap((model) => {
          const messages = [{ role: 'user', content: marks.everything(`prompt to ${model}`) }];
          return [
            post('/v1/chat/completions', { model, stream, messages, user: marks.secrets('end user') }),
            post('/v1/messages', { model, stream, max_tokens: 9, messages, metadata: { user_id: marks.secrets('user id') } }),
          ];
        }),
      ),
    );
    expect(provider.requests).toBeGreaterThan(leakyModels.length * 4);
  });

  test('what arrives is no HTTP, or TLS', async () => {
    const word = (what: string) => marks.everything(what);
    for (const bytes of [
      `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${word('a TLS greeting')}`,
      `${word('no HTTP')}\r\n\r\n`,
      `GET /${marks.secrets('path of a broken request')} HTTP/1.1\r\nhost: x\r\n${word('a broken header')}\r\n\r\n`,
      `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${word('a long header')}${'x'.repeat(20_000)}\r\n\r\n`,
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\nauthorization: Bearer ${operatorKey}\r\n\r\nzz${word('a broken chunk')}\r\n`,
      `GET /%zz/${marks.secrets('path that does not decode')} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
      `GET /health HTTP/1.1\r\nx: ${word('no host')}\r\n\r\n`,
    ])
      await exchange(Buffer.from(bytes, 'latin1'));
  });

  test('a configuration with secrets in the wrong places is refused', async () => {
    const file = path.join(server.folder, 'holdfast.config.yaml');
    const good = readFileSync(file, 'utf8');
    const word = (what: string) => own.word(`configuration: ${what}`);
    for (const bad of [
      JSON.stringify({
        ...configuration(),
        providers: { leaky: { kind: 'openai', apikey: word('misspelt'), baseUrl: `https://u:${word('password in a URL')}@x y` } },
      }),
      JSON.stringify({
        ...configuration(),
        server: { port: own.secrets('configuration: port') },
        metrics: { enabled: own.secrets('configuration: flag') },
        secrets: { masterKey: word('master key') },
      }),
      JSON.stringify({
        ...configuration(),
        database: { url: `mysql://u:${word('password of a database')}@h/d` },
        redis: { url: word('redis') },
      }),
      `providers: { leaky: { kind: openai, apiKey: ${word('broken YAML')}`,
    ]) {
      writeFileSync(file, bad);
      const answer = await send({ what: 'reload', method: 'POST', path: '/api/reload', headers: {} });
      expect([answer.status, own.find(answer.text, 'the answer to a reload')]).toEqual([422, []]);
    }
    writeFileSync(file, good);
  });
});

describe('nothing of it', () => {
  test('is in the log, which has a line of every request', async () => {
    await expect.poll(() => server.output(), { timeout: 5_000 }).toContain(`"request_id":"escape-${sent}"`);
    const log = server.output();
    for (const { requestId, what } of answers) expect(log.includes(`"request_id":"${requestId}"`), what).toBe(true);
    expect(shown(log.split('\n').flatMap((line) => find(line, 'the log')))).toEqual([]);
  });

  test('is in the metrics, which have every route', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const measured = [...text.matchAll(/route="([^"]+)"/g)].map(([, route]) => route!);
    for (const { path: at } of routes)
      expect(
        measured.some((route) => route.replaceAll(/:\w+|\*/g, '{}') === at.replaceAll(/\{\w+\}/g, '{}')),
        at,
      ).toBe(true);
    expect(shown(find(text, '/metrics'))).toEqual([]);
  });

  test('is in the traces, which have the calls and their errors', async () => {
    await expect.poll(() => collector.received('/otlp'), { timeout: 5_000 }).toContain('/v1/models');
    const text = collector.received('/otlp');
    for (const word of ['/v1/chat/completions', '/api/keys', 'provider_failed']) expect(text.includes(word), word).toBe(true);
    expect(shown(find(text, 'the traces'))).toEqual([]);
  });

  test('is in the reports of errors, which have those of the database and of providers', async () => {
    await expect.poll(() => collector.received('/sentry'), { timeout: 5_000 }).toMatch(/provider_failed|provider_malformed/);
    const text = collector.received('/sentry');
    expect(text).toContain('/api/keys');
    expect(shown(find(text, 'the reports'))).toEqual([]);
  });

  test('is in what alerts tell, but where they are sent', async () => {
    const text = collector.received('/alerts');
    expect(text).toContain('webhook-signature');
    expect(shown(find(text, 'a notification'))).toEqual([]);
  });

  test('is in the database, but where somebody wanted it kept', async () => {
    const stored = await storedTexts(postgres);
    expect(stored.find(({ column }) => column === 'holdfast.calls.request_id')?.text.split('\n').length).toBeGreaterThan(
      leakyModels.length * 4,
    );
    expect(shown(stored.flatMap(({ column, text }) => find(text, column)))).toEqual([]);
  });

  test('is in the errors that others are told', async () => {
    const before = answers.length;
    for (const route of routes) {
      await send({ what: `${route.name} of another caller`, method: route.method, path: route.path, headers: {}, key: null });
      await send({
        what: `${route.name} of another caller`,
        method: route.method,
        path: `${route.path.replaceAll(/[{}]/g, '')}?unknown=1`,
        headers: json,
        ...(route.body && { body: '{}' }),
      });
    }
    const errors = answers.slice(before).filter(({ status }) => status >= 400);
    expect(errors.length).toBeGreaterThan(routes.length);
    expect(shown(errors.flatMap(({ text, what }) => find(text, what)))).toEqual([]);
  });

  test('that is the server’s own is in any answer', () => {
    expect(shown(answers.flatMap(({ text, what }) => own.find(text, what)))).toEqual([]);
  });
});

function find(text: string, to: string): Escape[] {
  return [...marks.find(text, to), ...own.find(text, to)];
}

/** One of each kind: a leak in every line would fill the screen. */
function shown(escapes: readonly Escape[]): Escape[] {
  return [...new Map(escapes.map((escape) => [`${escape.from} ${escape.to}`, escape])).values()].slice(0, 40);
}

/** The names of models in the examples are those of another configuration, and roles are no free text. */
function ownModel({ path: at }: DescribedRoute): object {
  if (at === '/v1/embeddings') return { model: 'embed' };
  return at.startsWith('/v1/') ? { model: 'fast', messages: [{ role: 'user', content: marks.everything(`prompt of ${at}`) }] } : {};
}

function exchange(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

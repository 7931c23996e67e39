import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fastify from 'fastify';
import { alert as alertSchema, alertDeliveryPage, alertPage, alertRules, alertSilence, alertTestResults } from '@holdfast/contracts';
import { isHoldfastError } from '@holdfast/kit/errors';
import { httpRequestFinished, type HttpRequestFinished } from '@holdfast/kit/events';
import { callFinished, type CallFinished } from '@holdfast/kit/llm';
import { createPerformanceTracker } from '@holdfast/kit/telemetry';
import { createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { validatorCompiler, serializerCompiler } from '@fastify/type-provider-zod';
import { Closers, openAlerts } from '../../src/composition/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { createMinuteStore } from '../../src/features/performance/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { clockFromNow } from '../identity/fixture.ts';
import { createTestTrail } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Told {
  readonly type: string;
  readonly data: {
    readonly rule: string;
    readonly title: string;
    readonly count: number;
    readonly alerts: { readonly labels: object; readonly value: number }[];
  };
}

let postgres: TestDatabase;
let database: Database;
/** What the webhook was told, each verified by its signature. */
let told: Told[];
let answer = 204;
let hook: ReturnType<typeof createServer>;
let url: string;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  hook = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (answer < 300) told.push(new Webhook(secret).verify(text, request.headers as Record<string, string>) as Told);
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  hook.close();
  await postgres.stop();
});

const keyId = '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01';

/** The alerts of a server, with its routes, and everything that they look at in our hands. */
async function open(rules: object = {}, alerts: object = {}) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-alerts-'));
  mkdirSync(path.join(cwd, '.holdfast'));
  const env = { HOLDFAST_ALERTS_WEBHOOK_URL: url, HOLDFAST_ALERTS_WEBHOOK_SECRET: secret };
  const read = (own: object, channels?: object) => {
    const quiet = { disk: false, 'disk-full': false, heap: false, memory: false, 'event-loop': false };
    const file = { alerts: { deployment: 'test', rules: { ...quiet, ...own }, ...(channels && { channels }), ...alerts } };
    writeFileSync(path.join(cwd, 'holdfast.config.yaml'), JSON.stringify(file));
    return loadConfiguration({ env: (alerts as { enabled?: boolean }).enabled === false ? {} : env, cwd });
  };
  const clock: FakeClock = clockFromNow();
  const closers = new Closers();
  const ledger = { available: true, queued: 0, spill: undefined };
  const failing = new Set<string>();
  const broken = new Set<string>();
  const { routes, reload } = await openAlerts({
    configuration: read(rules),
    ...{ clock, closers, ledger, alone: true, metrics: undefined, random: createSeededRandom(1) },
    database,
    health: { observe: () => ['database', 'redis'].map((name) => ({ name, failing: failing.has(name) })) as never },
    breakers: { list: () => [...broken].map((name) => ({ name, kind: 'model', status: { state: 'open' } })) as never },
    isKnownModel: (name) => ['fast', 'primary/gpt'].includes(name),
    principalOf: () => ({ keyId }) as never,
    audit: createTestTrail(database),
  });
  const app = fastify();
  app.addHook('onRequest', (request, _reply, done) => {
    Object.assign(request, { principal: { keyId }, client: { address: { text: '203.0.113.7' } } });
    done();
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, _request, reply) => {
    if (isHoldfastError(error)) return reply.code(error.status).send({ code: error.code });
    return reply.code((error as { statusCode?: number }).statusCode ?? 500).send({ code: (error as Error).message });
  });
  await app.register(routes);
  const close = async () => {
    await closers.closeAll((_part, error) => expect.fail(String(error)));
    await app.close();
  };
  onTestFinished(async () => {
    await close();
    rmSync(cwd, { recursive: true, force: true });
  });
  return {
    ...{ clock, ledger, failing, broken, app, close },
    reload: (next: object, channels?: object) => reload.prepare(read(next, channels)).commit(),
    async ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) {
      const response = await app.inject({ method, url: path, ...(body && { payload: body }) });
      return { status: response.statusCode, body: response.json() as any };
    },
    /** Lets so many looks happen, and waits until each has told what it had to tell. */
    async looks(count: number) {
      for (let look = 0; look < count; look++) {
        const before = await lookedAt();
        clock.advance(30_000);
        for (let turn = 0; turn < 2_000 && (clock.nextTimerInMs ?? 0) < 29_999; turn++)
          await new Promise((resolve) => setTimeout(resolve, 1));
        expect(await lookedAt()).toBeGreaterThanOrEqual(before);
      }
    },
  };
}

async function lookedAt(): Promise<number> {
  return (await postgres.asSuperuser<{ count: number }>('select count(*)::int as count from holdfast.alert_deliveries'))[0]!.count;
}

beforeEach(async () => {
  told = [];
  answer = 204;
  await postgres.asSuperuser('delete from holdfast.api_keys');
  await postgres.asSuperuser(
    'truncate holdfast.alerts, holdfast.alert_observations, holdfast.alert_groups, holdfast.alert_silences, holdfast.alert_deliveries',
  );
});

const request = (fields: Partial<HttpRequestFinished> = {}): void =>
  httpRequestFinished.publish({
    route: '/v1/chat/completions',
    status: 200,
    latencyMs: 50,
    errorCode: undefined,
    ...fields,
  } as HttpRequestFinished);
const call = (fields: Partial<CallFinished> = {}): void =>
  callFinished.publish({ modelAsked: 'fast', latencyMs: 500, overheadMs: 1, attempts: 1, outcome: 'completed', ...fields } as CallFinished);
const times = (count: number, make: () => void): void => Array.from({ length: count }).forEach(make);

test('a reload puts other rules in force from the next look on, and ends what a rule told that is gone', async () => {
  const { ask, failing, looks, reload } = await open({ 'dependency-down': { forMs: 0, resolveAfterMs: 0 } });
  failing.add('redis');
  await looks(1);
  reload({ 'dependency-down': false, spend: { metric: 'spend_usd', above: 1, summary: 'much' } });
  await looks(1);
  expect(told.map(({ type, data }) => `${type} ${data.title}`)).toEqual([
    expect.stringContaining('alert.firing [FIRING]'),
    'alert.resolved [RESOLVED] critical: dependency-down [test]',
  ]);
  const names = (await ask('GET', '/api/alerts/rules')).body.data.map(({ name }: { name: string }) => name);
  expect([names.includes('spend'), names.includes('dependency-down')]).toEqual([true, false]);
});

describe('the rules that come with the package', () => {
  test('more than one answer of twenty that is 5xx fires, is told signed, and its end too', async () => {
    const { looks } = await open({ 'error-rate': { forMs: 0, resolveAfterMs: 0 } });
    times(94, () => request());
    times(6, () => request({ status: 502, errorCode: 'provider_failed' }));
    await looks(1);
    expect(told).toMatchObject([{ type: 'alert.firing', data: { rule: 'error-rate', alerts: [{ value: 0.06 }] } }]);
    expect(told[0]!.data.title).toBe('[FIRING] critical: Requests fail: more answers are 5xx than is bearable. [test]');
    times(200, () => request());
    await looks(6);
    expect(told.map(({ type, data }) => `${type} ${data.rule}`)).toEqual(['alert.firing error-rate', 'alert.resolved error-rate']);
  });

  test.each([
    ['a failure of two requests', () => (request(), request({ status: 500 }))],
    ['mistakes of clients', () => times(100, () => request({ status: 404, errorCode: 'model_not_found' }))],
    ['a server that stops', () => times(100, () => request({ status: 503, errorCode: 'draining' }))],
    ['paths that are neither of the API nor of models', () => times(100, () => request({ route: '/health', status: 503 }))],
  ])('%s is no error rate', async (_what, happens) => {
    const { looks } = await open({ 'error-rate': { forMs: 0 } });
    happens();
    await looks(1);
    expect(told).toEqual([]);
  });

  test('a burst, slow answers of the API, of Holdfast itself and of a model are told, each by its own', async () => {
    const rules = {
      'api-latency': { above: 2, forMs: 0 },
      'overhead-latency': { above: 2, forMs: 0 },
      'model-latency': { above: 60, forMs: 0 },
      'error-rate': false,
    };
    const { looks } = await open(rules);
    times(30, () => request({ route: '/api/keys', latencyMs: 3_000 }));
    times(10, () => request({ status: 500 }));
    times(30, () => call({ overheadMs: 2_500, latencyMs: 90_000 }));
    times(30, () => call({ modelAsked: 'whatever a client asks for', latencyMs: 100, overheadMs: 2_500 }));
    times(30, () => call({ attempts: 0, latencyMs: 500_000, overheadMs: 2_500 }));
    await looks(1);
    expect(told.map(({ data }) => data.rule).toSorted()).toEqual([
      'api-latency',
      'model-latency',
      'overhead-latency',
      'server-error-burst',
    ]);
    expect(told.find(({ data }) => data.rule === 'model-latency')?.data.alerts).toMatchObject([{ labels: { model: 'fast' } }]);
  });

  test('breakers, dependencies, the ledger and its queue are told', async () => {
    const { looks, ledger, failing, broken } = await open({
      'breaker-open': { forMs: 0 },
      'dependency-down': { forMs: 0 },
      'ledger-queue': { forMs: 0 },
    });
    ledger.available = false;
    ledger.queued = 5_000;
    failing.add('redis');
    broken.add('primary/gpt').add('unknown/model');
    await looks(1);
    expect(told.map(({ data }) => [data.rule, data.alerts[0]!.labels])).toEqual(
      expect.arrayContaining([
        ['breaker-open', { breaker: 'primary/gpt' }],
        ['dependency-down', { dependency: 'redis' }],
        ['ledger-unavailable', {}],
        ['ledger-queue', {}],
      ]),
    );
    expect(told).toHaveLength(4);
  });

  test('the disk is read, and keys that end within a week are told by their prefix', async () => {
    const organization = '019a9c50-0000-7f00-8d11-0c6b7a8e9f01';
    await postgres.asSuperuser(`insert into identity.organization (id, name, slug) values ($1, 'Acme', 'acme')`, [organization]);
    const key = (suffix: string, days: number, revoked = false) =>
      postgres.asSuperuser(
        `insert into holdfast.api_keys (id, organization_id, name, prefix, hash, hash_key_version, scopes, expires_at, revoked_at)
         values ($1, $2, 'eve@example.com', $3::text, sha256(convert_to($3::text, 'UTF8')), 1, '{inference}', now() + $4 * interval '1 day', case when $5 then now() end)`,
        [`019a9c50-0000-7f00-8d11-0c6b7a8e90${suffix}`, organization, `hf_key${suffix}`, days, revoked],
      );
    await key('01', 3);
    await key('02', 30);
    await key('03', 2, true);
    const { looks } = await open({ disk: { above: 0, resolveAt: 0 } });
    await looks(1);
    expect(told.map(({ data }) => data.rule).toSorted()).toEqual(['disk', 'key-expiry']);
    const { alerts } = told.find(({ data }) => data.rule === 'key-expiry')!.data;
    expect(alerts).toMatchObject([{ labels: { organization, prefix: 'hf_key01' } }]);
    expect(JSON.stringify(told)).not.toContain('eve@');
  });

  test('what was spent within a window is told, by organization', async () => {
    const organization = '019a9c50-0000-7f00-8d11-0c6b7a8e9f02';
    const { looks, clock } = await open({
      spend: { metric: 'spend_usd', above: 10, forMs: 0, windowMs: 86_400_000, summary: 'Dear.' },
      'spend-each': {
        metric: 'organization_spend_usd',
        above: 5,
        forMs: 0,
        windowMs: 3_600_000,
        groupBy: ['organization'],
        summary: 'Dear.',
      },
    });
    const id = (ageMs: number) =>
      `${Math.floor(clock.now() - ageMs)
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}-7000-8000-${Math.floor(ageMs).toString(16).padStart(12, '0')}`;
    for (const [ageMs, usd] of [
      [60_000, 6],
      [7_200_000, 7],
      [172_800_000, 100],
    ] as const)
      await postgres.asSuperuser(
        `insert into holdfast.calls (id, organization_id, usage_source, outcome, started_at, cost_nano_usd) values ($1, $2, 'provider', 'completed', now(), $3)`,
        [id(ageMs), organization, usd * 1e9],
      );
    await looks(1);
    expect(
      told
        .filter(({ data }) => data.rule.startsWith('spend'))
        .map(({ data }) => [data.rule, data.alerts[0]!.value, data.alerts[0]!.labels])
        .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual([
      ['spend', 13, {}],
      ['spend-each', 6, { organization }],
    ]);
  });
});

test('a restart tells nothing again, and the new process tells the end', async () => {
  const first = await open({ 'ledger-unavailable': { resolveAfterMs: 0 } });
  first.ledger.available = false;
  await first.looks(1);
  await first.close();
  const second = await open({ 'ledger-unavailable': { resolveAfterMs: 0 } });
  second.ledger.available = false;
  await second.looks(2);
  expect(told.map(({ type }) => type)).toEqual(['alert.firing']);
  second.ledger.available = true;
  await second.looks(1);
  expect(told.map(({ type }) => type)).toEqual(['alert.firing', 'alert.resolved']);
});

describe('the API', () => {
  test('lists, acknowledges, silences and tests, and refuses what makes no sense', async () => {
    const { ask, looks, ledger, clock } = await open();
    ledger.available = false;
    await looks(1);
    const page = alertPage.parse((await ask('GET', '/api/alerts?status=firing&rule=ledger-unavailable&severity=critical')).body);
    expect(page).toMatchObject({ data: [{ rule: 'ledger-unavailable', status: 'firing', acknowledged_at: null }], next_cursor: null });
    const { id } = page.data[0]!;
    expect((await ask('GET', '/api/alerts?cursor=nonsense')).status).toBe(400);
    expect((await ask('GET', '/api/alerts?status=burning')).status).toBe(400);
    expect(alertSchema.parse((await ask('GET', `/api/alerts/${id}`)).body).id).toBe(id);
    expect((await ask('GET', '/api/alerts/019a9c50-0000-7f00-8d11-000000000000')).status).toBe(404);

    const acknowledged = await ask('POST', `/api/alerts/${id}/acknowledge`, { note: 'Ada: on it' });
    expect(alertSchema.parse(acknowledged.body)).toMatchObject({ acknowledged_by: keyId, acknowledgement_note: 'Ada: on it' });
    expect((await ask('POST', '/api/alerts/019a9c50-0000-7f00-8d11-000000000000/acknowledge', {})).status).toBe(404);

    const ends_at = new Date(clock.now() + 3_600_000).toISOString();
    const matchers = [{ label: 'rule', value: 'ledger*' }];
    const silence = await ask('POST', '/api/alerts/silences', { matchers, ends_at, reason: 'upgrade' });
    expect(silence.status).toBe(201);
    expect(alertSilence.parse(silence.body)).toMatchObject({ created_by: keyId, reason: 'upgrade', matchers });
    for (const bad of [
      { matchers: [], ends_at, reason: 'x' },
      { matchers, ends_at: '2020-01-01T00:00:00Z', reason: 'x' },
      { matchers, ends_at: '2099-01-01T00:00:00Z', reason: 'x' },
      { matchers, ends_at },
    ])
      expect((await ask('POST', '/api/alerts/silences', bad)).status).toBe(400);
    expect((await ask('GET', '/api/alerts/silences')).body.data).toHaveLength(1);
    expect((await ask('DELETE', `/api/alerts/silences/${silence.body.id}`)).status).toBe(200);
    expect((await ask('DELETE', `/api/alerts/silences/${silence.body.id}`)).status).toBe(404);

    const rules = alertRules.parse((await ask('GET', '/api/alerts/rules')).body);
    expect(rules).toMatchObject({ enabled: true, channels: [{ name: 'webhook', kind: 'webhook' }] });
    expect(JSON.stringify(rules)).not.toContain('whsec_');
    const deliveries = alertDeliveryPage.parse((await ask('GET', '/api/alerts/deliveries?limit=1')).body);
    expect(deliveries.data).toHaveLength(1);
    const next = alertDeliveryPage.parse((await ask('GET', `/api/alerts/deliveries?limit=1&cursor=${deliveries.next_cursor}`)).body);
    expect(next.data[0]!.id < deliveries.data[0]!.id).toBe(true);

    told = [];
    const tested = alertTestResults.parse((await ask('POST', '/api/alerts/test', {})).body);
    expect(tested.data).toEqual([{ channel: 'webhook', kind: 'webhook', delivered: true, error: null, detail: null }]);
    // The acknowledgement above is told beside its answer.
    expect(told.filter(({ type }) => type !== 'alert.acknowledged')).toMatchObject([{ type: 'alert.test' }]);
    expect((await ask('POST', '/api/alerts/test', { channel: 'nothing' })).status).toBe(404);
    answer = 410;
    const refused = alertTestResults.parse((await ask('POST', '/api/alerts/test', { channel: 'webhook' })).body);
    expect(refused.data).toMatchObject([{ delivered: false, error: 'alert_channel_refused', detail: 'webhook answered 410' }]);
  });

  test('is there when alerts are switched off, and nothing is looked at', async () => {
    const { ask, ledger, clock } = await open({}, { enabled: false });
    ledger.available = false;
    expect(clock.pendingTimers).toBe(0);
    expect((await ask('GET', '/api/alerts/rules')).body).toMatchObject({ enabled: false });
    expect((await ask('GET', '/api/alerts')).body).toEqual({ data: [], next_cursor: null });
  });
});

test('an alert goes on over a restart: what the process before saw within the window counts', async () => {
  const tracker = createPerformanceTracker({ clock: clockFromNow(), createId: () => '019a9c50-0000-7000-8000-00000000000a' });
  for (let at = 0; at < 40; at++)
    tracker.recordRequest({
      route: '/v1/chat/completions',
      method: 'POST',
      status: at < 20 ? 502 : 200,
      latencyMs: 9,
      requestBytes: 1,
      responseBytes: 1,
    } as HttpRequestFinished);
  const store = createMinuteStore(database, 'before:1');
  onTestFinished(() => store.removeBefore(Date.now() + 86_400_000));
  await store.write(tracker.minutes());
  const { ask, looks } = await open({ 'error-rate': { forMs: 0 } });
  // They are read beside the start.
  const values = async () => {
    await looks(1);
    const { data } = (await ask('GET', '/api/alerts?status=firing&rule=error-rate')).body;
    return data.map(({ value }: { value: number }) => value);
  };
  await expect.poll(values).toEqual([0.5]);
});

test('channels are exchanged by a reload, and one that is the same keeps what it knows', async () => {
  const { ask, looks, ledger, reload } = await open();
  const names = async () => (await ask('GET', '/api/alerts/rules')).body.channels.map(({ name }: { name: string }) => name);
  reload(
    {},
    {
      second: { kind: 'webhook', url: `${url}/second`, secret },
      mail: { kind: 'email', smtpUrl: 'smtp://127.0.0.1:1', from: 'a@b.test', to: ['c@d.test'] },
    },
  );
  expect(await names()).toEqual(expect.arrayContaining(['webhook', 'second', 'mail']));
  reload({}, { second: { kind: 'webhook', url: `${url}/second`, secret } });
  expect((await names()).toSorted()).toEqual(['second', 'webhook']);
  ledger.available = false;
  await looks(1);
  expect(told.map(({ type }) => type)).toEqual(['alert.firing', 'alert.firing']);
  const { data } = (await ask('POST', '/api/alerts/test', { channel: 'second' })).body;
  expect(data).toMatchObject([{ channel: 'second', delivered: true }]);
});

test('a channel that refuses is tried by the policies of the kit, and the delivery says what became of it', async () => {
  const { ask, looks, ledger } = await open();
  answer = 404;
  ledger.available = false;
  await looks(1);
  expect((await ask('GET', '/api/alerts/deliveries?status=failed')).body.data).toMatchObject([
    { channel: 'webhook', status: 'failed', attempts: 1, last_error: 'alert_channel_refused', next_try_at: null },
  ]);
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditEventTypes, type AuditEventName } from '@holdfast/contracts';
import { auditEventFault, canonicalJson, type CanonicalValue } from '@holdfast/kit/audit';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App } from '../../src/app.ts';
import { createClientNames } from '../../src/composition/index.ts';
import { openConfigurationSource } from '../../src/config/index.ts';
import { createLogLevelControl } from '../../src/features/logging/index.ts';
import { routesOf, type ApiDocument } from '../escapes/described-routes.ts';
import { storedEvents, type StoredEvent } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

const key = 'operator-bootstrap-key-0123456789-abcdef';
const userAgent = 'a-client/1.0 of somebody';
let postgres: TestDatabase;
let folder: string;
let app: App;
let document: ApiDocument;

beforeAll(async () => {
  postgres = await startTestDatabase();
  if (postgres.target.kind !== 'url') throw new Error('the test database has a URL');
  folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'));
  const roomy = { requestsPerMinute: 1_000_000, burst: 100_000 };
  const configuration = {
    providers: { lab: { kind: 'sandbox' } },
    models: { fast: { targets: ['lab/demo'] } },
    rateLimits: { levels: { global: roomy, ip: roomy } },
  };
  writeFileSync(join(folder, 'holdfast.config.yaml'), JSON.stringify(configuration));
  const env = {
    ...{ HOLDFAST_PORT: '0', DATABASE_URL: postgres.target.url, POSTGRES_MAX_CONNECTIONS: '20' },
    ...{ HOLDFAST_MASTER_KEY: randomBytes(32).toString('hex'), HOLDFAST_BOOTSTRAP_KEY: key, HOLDFAST_OVERLOAD_ENABLED: 'false' },
    HOLDFAST_ABUSE_ENABLED: 'false',
  };
  const source = openConfigurationSource({ env, cwd: folder, overrides: {} });
  app = await startApp({
    ...{ source, reloadables: [], version: '0', clock: systemClock, random: systemRandom, runtimeDir: undefined, metrics: undefined },
    clientNames: createClientNames({ configuration: source.atStart, clock: systemClock }),
    logLevel: createLogLevelControl({ level: 'silent' }, systemClock),
    ...{ isKnownModel: () => true, beginTrace: undefined, errorReports: undefined, endIfTold() {} },
    onFatal: (reason) => expect.fail(reason),
    onCloseFailure: (part, error) => expect.fail(`${part}: ${String(error)}`),
  });
  document = (await (await fetch(`${app.url}/openapi.json`)).json()) as ApiDocument;
});
afterAll(async () => {
  await app?.stop();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

let sent = 0;

async function send(
  name: string,
  { path, body, secret = key }: { path?: string | undefined; body?: object | undefined; secret?: string } = {},
) {
  const [method, template] = name.split(' ') as [string, string];
  const requestId = `audited-${++sent}`;
  const response = await fetch(app.url + (path ?? template), {
    method,
    headers: {
      ...{ authorization: `Bearer ${secret}`, 'x-request-id': requestId, 'user-agent': userAgent },
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isObject = /^application\/json(;|$)/.test(response.headers.get('content-type') ?? '');
  return { requestId, status: response.status, answer: isObject ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

const eventsOf = async (requestId: string): Promise<StoredEvent[]> =>
  (await storedEvents(postgres)).filter((event) => event.request_id === requestId);

/** Events that have their place have a number as well. */
function withoutNumber({ number: _number, ...event }: StoredEvent & { readonly number?: number }): object {
  return event;
}

interface Act {
  /** What the request leaves in the log: this one event, of who asked. */
  readonly event: AuditEventName;
  readonly body?: object;
  /** Makes what the request is about; returns the path. */
  readonly prepare?: () => Promise<string>;
}

const made = async (name: string, body: object): Promise<string> => String((await send(name, { body })).answer['id']);
const newKey = (): Promise<string> => made('POST /api/keys', { name: 'of a test', scopes: ['inference'] });
const range = '198.51.100.0/24';
const newBudget = { name: 'of a test', subject: 'organization', period: 'day', limit_usd: '1' };
const breaker = { name: 'lab/demo' };
const silence = () => ({
  matchers: [{ label: 'rule', value: 'disk' }],
  ends_at: new Date(systemClock.now() + 3_600_000).toISOString(),
  reason: 'a test',
});
const call = { model: 'fast', messages: [{ role: 'user', content: 'hi' }], max_tokens: 8 };

const nobody = '00000000-0000-7000-8000-000000000000';

/** Of whatever comes first into a table; waits until there is something. */
async function firstId(table: string): Promise<string> {
  for (;;) {
    const [row] = await postgres.asSuperuser<{ id: string }>(`select id from ${table} limit 1`);
    if (row) return row.id;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Every route that does something, or shows what is personal: one that is neither here nor below fails the first test. */
const acts: Readonly<Record<string, Act>> = {
  'POST /v1/chat/completions': { event: 'model.called', body: call },
  'POST /v1/messages': { event: 'model.called', body: call },
  'POST /v1/messages/count_tokens': { event: 'model.called', body: call },
  'POST /v1/embeddings': { event: 'model.called', body: { model: 'fast', input: 'hi' } },
  'POST /api/keys': { event: 'key.created', body: { name: 'of a test', scopes: ['inference'] } },
  'PATCH /api/keys/{id}': { event: 'key.changed', body: { name: 'other' }, prepare: async () => `/api/keys/${await newKey()}` },
  'POST /api/keys/{id}/rotate': { event: 'key.rotated', body: {}, prepare: async () => `/api/keys/${await newKey()}/rotate` },
  'DELETE /api/keys/{id}': { event: 'key.revoked', prepare: async () => `/api/keys/${await newKey()}` },
  'PATCH /api/organizations/{id}': {
    event: 'organization.changed',
    body: { tier: 'pro' },
    async prepare() {
      const { answer } = await send('GET /api/organizations');
      return `/api/organizations/${(answer['data'] as { id: string }[])[0]!.id}`;
    },
  },
  'POST /api/budgets': { event: 'budget.created', body: newBudget },
  'PATCH /api/budgets/{id}': {
    event: 'budget.changed',
    body: { limit_usd: '2' },
    prepare: async () => `/api/budgets/${await made('POST /api/budgets', newBudget)}`,
  },
  'DELETE /api/budgets/{id}': {
    event: 'budget.deleted',
    prepare: async () => `/api/budgets/${await made('POST /api/budgets', newBudget)}`,
  },
  'POST /api/bans': { event: 'ban.added', body: { range, note: 'a test' } },
  'DELETE /api/bans/{id}': { event: 'ban.lifted', prepare: async () => `/api/bans/${await made('POST /api/bans', { range })}` },
  'POST /api/circuit-breakers/open': { event: 'circuit_breaker.opened', body: breaker },
  'POST /api/circuit-breakers/close': { event: 'circuit_breaker.closed', body: breaker },
  'POST /api/reload': { event: 'configuration.reloaded' },
  'POST /api/personal-data/erase': {
    event: 'personal_data.erased',
    body: { organization_id: null, kind: 'ip', value: '192.0.2.1' },
  },
  'POST /api/log-level': { event: 'log_level.changed', body: { level: 'fatal' } },
  'POST /api/alerts/test': { event: 'alert.tested', body: {} },
  'POST /api/alerts/silences': { event: 'alert.silenced', body: silence() },
  'DELETE /api/alerts/silences/{id}': {
    event: 'alert.silence_ended',
    prepare: async () => `/api/alerts/silences/${await made('POST /api/alerts/silences', silence())}`,
  },
  'POST /api/alerts/{id}/acknowledge': {
    event: 'alert.acknowledged',
    body: { note: 'I am on it' },
    async prepare() {
      const [alert] = await postgres.asSuperuser<{ id: string }>(
        `insert into holdfast.alerts (id, fingerprint, rule, labels, severity, unit, group_key, status, since_at, fired_at, resolve_after_ms, value, threshold, bad)
         values (gen_random_uuid(), 'f', 'disk', '{}', 'info', 'ratio', 'disk', 'firing', now(), now(), 60000, 1, 1, 'above') returning id`,
      );
      return `/api/alerts/${alert!.id}/acknowledge`;
    },
  },
  'GET /api/health/diagnostics': { event: 'diagnostics.run' },
  'POST /api/health/test-endpoints': { event: 'endpoints.tested' },
  'GET /api/request-log': { event: 'request_log.read' },
  'GET /api/request-log/{id}': {
    event: 'request_log.read',
    prepare: async () => `/api/request-log/${await firstId('holdfast.request_log')}`,
  },
  'GET /api/audit/events': { event: 'audit.read' },
  'GET /api/audit/events/{id}': { event: 'audit.read', prepare: async () => `/api/audit/events/${await firstId('holdfast.audit_log')}` },
  // The event is in the file. Only what a checkpoint speaks of is proved.
  'GET /api/audit/events/{id}/proof': {
    event: 'audit.read',
    async prepare() {
      for (;;) {
        const [row] = await postgres.asSuperuser<{ id: string }>(
          'select id from holdfast.audit_log where index < (select max(size) from holdfast.audit_checkpoints) order by index limit 1',
        );
        if (row) return `/api/audit/events/${row.id}/proof`;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  'GET /api/audit/activity/users/{id}': { event: 'audit.read', prepare: async () => `/api/audit/activity/users/${nobody}` },
  'GET /api/audit/activity/organizations/{id}': {
    event: 'audit.read',
    prepare: async () => `/api/audit/activity/organizations/${await firstId('identity.organization')}`,
  },
  'GET /api/audit/reports/{name}': { event: 'audit.read', prepare: async () => '/api/audit/reports/access-review' },
  'GET /api/audit/reports/{name}/page': { event: 'audit.read', prepare: async () => '/api/audit/reports/personal-data/page' },
  'GET /api/audit/export': { event: 'audit.exported' },
};

/** Routes that leave no event, and why. Whoever may not use them leaves one all the same. */
const plain: Readonly<Record<string, string>> = {
  'GET /v1/models': 'the configuration, as far as the key may use it',
  'GET /v1/models/{name}': 'the same',
  'GET /api/keys': 'the organization looks at its own keys, without their secrets',
  'GET /api/keys/{id}': 'the same',
  'GET /api/organizations': 'names and tiers',
  'GET /api/organizations/{id}': 'the same',
  'GET /api/budgets': 'the organization looks at its own, or the operator at what stands in the log already',
  'GET /api/budgets/{id}': 'the same',
  'GET /api/bans': 'read by consoles each few seconds; who was banned stands in the log already',
  'GET /api/bans/{id}': 'the same',
  'GET /api/usage': 'the organization looks at its own calls',
  'GET /api/costs': 'the organization looks at its own sums',
  'POST /api/costs/estimate': 'computes, and keeps nothing',
  'GET /api/audit/checkpoint': 'a hash and its signatures',
  'GET /api/audit/consistency': 'hashes',
  'GET /api/audit/keys': 'public keys',
  'GET /api/audit/publications': 'states of the instance',
  'GET /api/rate-limits': 'counts',
  'GET /api/rate-limits/self': 'counts',
  'GET /api/configuration': 'a digest; no value',
  'GET /api/log-level': 'a word',
  'GET /api/alerts': 'states of the instance',
  'GET /api/alerts/{id}': 'the same',
  'GET /api/alerts/rules': 'the configuration',
  'GET /api/alerts/deliveries': 'what was told by the instance itself',
  'GET /api/alerts/silences': 'what was silenced; that it was stands in the log already',
  'GET /api/health/status': 'states of the instance',
  'GET /api/health/detailed': 'states of the instance',
  'GET /api/health/metrics': 'counts',
  'GET /api/admin/metrics': 'counts',
};

const isJudged = (path: string): boolean => path.startsWith('/api/') || path.startsWith('/v1/');

test('every route is known to leave an event, or not to, and why', () => {
  const routes = routesOf(document)
    .filter(({ path }) => isJudged(path))
    .map(({ name }) => name);
  expect(routes.length).toBeGreaterThan(30);
  expect(routes.filter((name) => !(name in acts) && !(name in plain))).toStrictEqual([]);
  expect([...Object.keys(acts), ...Object.keys(plain)].filter((name) => !routes.includes(name))).toStrictEqual([]);
  // What changes something is never plain.
  const writing = Object.entries(plain).filter(([name, why]) => !name.startsWith('GET ') && why !== 'computes, and keeps nothing');
  expect(writing).toStrictEqual([]);
});

test('an instance that begins to serve says so, after what its first start made', async () => {
  const types = (await storedEvents(postgres)).map(({ type }) => type);
  expect(types.slice(0, 3)).toStrictEqual(['organization.created', 'key.created', 'server.started']);
});

describe('leaves its event', () => {
  test.each(Object.entries(acts))('%s', { timeout: 30_000 }, async (name, { event: type, body, prepare }) => {
    const path = await prepare?.();
    const { requestId, status, answer } = await send(name, { path, body });
    expect(status, JSON.stringify(answer)).toBeLessThan(300);
    const events = await eventsOf(requestId);
    expect(events.map((event) => event.type)).toStrictEqual([type]);
    const [event] = events;
    expect(auditEventFault(withoutNumber(event!))).toBeUndefined();
    expect(event).toMatchObject({ outcome: 'success', actor: { type: 'key', id: expect.any(String) } });
    // The table says what there is to know of it.
    const described = auditEventTypes[type];
    expect(event!.resource?.type).toBe(described.resource);
    if (described.series !== 'either') expect(event!.organization_id === null).toBe(described.series === 'instance');
    expect(Object.keys(event!.details ?? {}).filter((member) => !(member in described.details))).toStrictEqual([]);
    // From where: as references, whose values are kept apart.
    expect([event!.client?.ip, event!.client?.user_agent]).toStrictEqual([expect.any(String), expect.any(String)]);
    const kept = await postgres.asSuperuser<{ kind: string }>(
      'select kind from holdfast.audit_personal where ref = any($1) order by kind',
      [[event!.client!.ip, event!.client!.user_agent]],
    );
    expect(kept.map(({ kind }) => kind)).toStrictEqual(['ip', 'user_agent']);
  });

  test('and none of them says what is personal', async () => {
    const texts = (await storedEvents(postgres)).map((event) => canonicalJson(event as unknown as CanonicalValue)).join('\n');
    for (const word of [userAgent, '127.0.0.1', '198.51.100', '192.0.2.1', 'of a test', 'a test', 'I am on it', key])
      expect(texts).not.toContain(word);
  });
});

describe('a change and its event', () => {
  test('exist together or not at all', async () => {
    const keys = async () => (await postgres.asSuperuser<{ id: string }>('select id from holdfast.api_keys')).length;
    const before = await keys();
    await postgres.asSuperuser('alter table holdfast.audit_inbox rename to audit_inbox_away');
    try {
      expect((await send('POST /api/keys', { body: { name: 'x', scopes: ['inference'] } })).status).toBe(500);
    } finally {
      await postgres.asSuperuser('alter table holdfast.audit_inbox_away rename to audit_inbox');
    }
    expect(await keys()).toBe(before);
  });
});

describe('who is refused', () => {
  let weak: string;
  let weakId: string;
  beforeAll(async () => {
    const { answer } = await send('POST /api/keys', { body: { name: 'weak', scopes: ['inference'], allowed_models: ['fast'] } });
    [weak, weakId] = [String(answer['key']), String(answer['id'])];
  });
  /** Refusals of requests are told after the answer. */
  const told = async (requestId: string, count = 1): Promise<StoredEvent[]> => {
    await expect.poll(() => eventsOf(requestId), { timeout: 5_000 }).toHaveLength(count);
    return eventsOf(requestId);
  };

  test('by a route of operators leaves an event of its organization', async () => {
    const { requestId, status } = await send('GET /api/organizations', { secret: weak });
    expect(status).toBe(403);
    const [event] = await told(requestId);
    expect(event).toMatchObject({
      ...{ type: 'access.denied', outcome: 'denied', actor: { type: 'key', id: weakId }, organization_id: expect.any(String) },
      ...{ resource: { type: 'route', id: '/api/organizations' }, details: { code: 'scope_missing', method: 'GET' } },
    });
  });

  test('without a good key leaves one of the instance, of nobody', async () => {
    const { requestId } = await send('GET /api/keys', { secret: `hf_${'x'.repeat(40)}` });
    const [event] = await told(requestId);
    expect(event).toMatchObject({ type: 'authentication.failed', outcome: 'denied', actor: { type: 'anonymous' }, organization_id: null });
  });

  test('a model leaves one with the id of the call, before the refusal is told', async () => {
    const { requestId, status } = await send('POST /v1/chat/completions', { secret: weak, body: { ...call, model: 'lab/what I wrote' } });
    expect(status).toBe(403);
    const [event, ...more] = await eventsOf(requestId);
    expect(more).toStrictEqual([]);
    expect(event).toMatchObject({
      ...{ type: 'model.called', outcome: 'denied', actor: { type: 'key', id: weakId }, resource: { type: 'model' } },
      details: { outcome: 'refused', code: 'model_not_allowed', status: 403, model: expect.any(String) },
    });
    expect(JSON.stringify(event)).not.toContain('what I wrote');
  });

  test('what belongs to another organization leaves one that only operators see', async () => {
    const [other] = await postgres.asSuperuser<{ id: string }>(
      `with made as (insert into identity.organization (id, name, slug) values (gen_random_uuid(), 'o', 'o') returning id)
       insert into holdfast.api_keys (id, organization_id, name, prefix, hash, hash_key_version, scopes)
       select gen_random_uuid(), id, 'theirs', 'hf_', '\\x00', 1, array['inference'] from made returning id, organization_id`,
    );
    const foreign = await send('DELETE /api/keys/{id}', { path: `/api/keys/${other!.id}` });
    const nobodys = await send('DELETE /api/keys/{id}', { path: `/api/keys/${nobody}` });
    expect([foreign.status, nobodys.status]).toStrictEqual([404, 404]);
    const events = await told(foreign.requestId, 2);
    const [denied, seen] = ['access.denied', 'access.foreign'].map((type) => events.find((event) => event.type === type)!);
    expect(seen).toMatchObject({ organization_id: null, outcome: 'denied', resource: { type: 'key', id: other!.id } });
    // Of the two attempts its own organization reads the same.
    const [alike] = await told(nobodys.requestId);
    const shape = ({ type, organization_id, resource, details }: StoredEvent) => ({ type, organization_id, resource, ...details, id: '' });
    expect(shape(denied!)).toStrictEqual(shape(alike!));
  });
});

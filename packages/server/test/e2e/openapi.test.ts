import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EndpointTestReportBody } from '@holdfast/contracts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { PerformanceMeasurements, PerformanceReport, RequestLogPage } from '@holdfast/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type Gateway } from './fixture.ts';

interface Document {
  readonly paths: Record<
    string,
    Record<string, { readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }> }>
  >;
}

let gateway: Gateway;
let document: Document;
let ajv: Ajv2020;
const seen = new Map<string, Set<string>>();

beforeAll(async () => {
  gateway = await startGateway({
    alerts: {
      enabled: true,
      intervalMs: 1_000,
      rules: { 'spent-nothing': { metric: 'spend_usd', below: 1_000_000, forMs: 0, summary: 'Fires at the first look.' } },
    },
  });
  document = (await (await gateway.fetch('/openapi.json', { key: null })).json()) as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  // ajv-formats is CommonJS with a default in its default.
  (addFormats as unknown as { default: (ajv: Ajv2020) => void }).default(ajv);
  ajv.addSchema({ $id: 'https://holdfast.invalid/openapi', ...document });
});
afterAll(() => gateway.stop());

/** Makes a call and holds its answer against what the description says of that route and status. */
async function check(
  method: string,
  path: string,
  url: string,
  init: RequestInit & { readonly key?: string | null } = {},
): Promise<unknown> {
  const response = await gateway.fetch(url, { method, ...init });
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const text = await response.text();
  const operation = document.paths[path]?.[method.toLowerCase()];
  expect(operation, `${method} ${path} is described`).toBeDefined();
  const described = operation!.responses[String(response.status)];
  expect(described, `${method} ${path} may answer ${response.status}: ${text.slice(0, 300)}`).toBeDefined();
  const key = `${method} ${path}`;
  seen.set(key, (seen.get(key) ?? new Set()).add(String(response.status)));
  if (!type.endsWith('json')) {
    if (described!.content) expect(Object.keys(described!.content)).toContain(type);
    return text;
  }
  const body: unknown = JSON.parse(text);
  const pointer = `https://holdfast.invalid/openapi#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/${method.toLowerCase()}/responses/${response.status}/content/${type.replace('/', '~1').replace('+', '%2B')}/schema`;
  const validate = ajv.compile({ $ref: pointer });
  expect(validate(body), `${method} ${path} ${response.status}: ${ajv.errorsText(validate.errors)}\n${text.slice(0, 500)}`).toBe(true);
  return body;
}

const post = (body: unknown): RequestInit => ({ body: JSON.stringify(body) });
const messages = [{ role: 'user', content: 'Hello' }];

test('every answer of every route is as the description says', async () => {
  await check('POST', '/v1/chat/completions', '/v1/chat/completions', post({ model: 'fast', messages }));
  await check('POST', '/v1/chat/completions', '/v1/chat/completions', post({ model: 'smart', messages }));
  await check('POST', '/v1/chat/completions', '/v1/chat/completions', post({ model: 'lab/demo', messages }));
  await check('POST', '/v1/chat/completions', '/v1/chat/completions', post({ model: 'fast', messages, stream: true }));
  await check('POST', '/v1/embeddings', '/v1/embeddings', post({ model: 'embed', input: 'one' }));
  await check('POST', '/v1/messages', '/v1/messages', post({ model: 'smart', max_tokens: 9, messages }));
  await check('POST', '/v1/messages', '/v1/messages', post({ model: 'fast', max_tokens: 9, messages }));
  await check('POST', '/v1/messages/count_tokens', '/v1/messages/count_tokens', post({ model: 'smart', messages }));
  await check('GET', '/v1/models', '/v1/models');
  await check('GET', '/v1/models/{name}', '/v1/models/fast');
  await check('GET', '/v1/models/{name}', '/v1/models/nothing');
  for (const path of ['/v1/chat/completions', '/v1/messages']) {
    const body = (model: string) => post({ model, max_tokens: 9, messages });
    await check('POST', path, path, post({ nothing: true }));
    await check('POST', path, path, { ...body('fast'), key: null });
    await check('POST', path, path, { ...body('fast'), headers: { 'content-type': 'text/plain' } });
    await check('POST', path, path, body('nothing'));
    for (const status of [400, 401, 404, 429, 500, 503]) {
      for (const name of ['gpt-4o-mini', 'claude-sonnet-4-5']) gateway.upstream.script(name, { kind: 'error', status });
      await check('POST', path, path, body('fast'));
      await check('POST', path, path, body('smart'));
    }
    gateway.upstream.reset();
    await check('POST', path, path, body('lonely'));
  }

  const page = (await check('GET', '/api/usage', '/api/usage?limit=2')) as { next_cursor: string; data: unknown[] };
  expect(page.data).toHaveLength(2);
  await check('GET', '/api/usage', `/api/usage?limit=200&cursor=${page.next_cursor}`);
  await check('GET', '/api/usage', '/api/usage?cursor=nonsense');
  await check('GET', '/api/usage', '/api/usage?colour=red');
  await check('GET', '/api/usage', '/api/usage', { key: null });

  const sums = (await check('GET', '/api/costs', '/api/costs?group_by=model,feature,day&limit=1')) as typeof page;
  expect(sums.data).toHaveLength(1);
  await check('GET', '/api/costs', `/api/costs?group_by=model,feature,day&cursor=${sums.next_cursor}`);
  await check('GET', '/api/costs', '/api/costs?all_organizations=true&group_by=organization,key,user,end_user');
  await check('GET', '/api/costs', '/api/costs?group_by=colour');
  await check('POST', '/api/costs/estimate', '/api/costs/estimate', post({ model: 'fast', usage: { prompt_tokens: 1_000 }, calls: 5 }));
  await check('POST', '/api/costs/estimate', '/api/costs/estimate', post({ model: 'fast', request: { messages: [], max_tokens: 5 } }));
  await check('POST', '/api/costs/estimate', '/api/costs/estimate', post({ model: 'nobody', usage: {} }));
  await check('POST', '/api/costs/estimate', '/api/costs/estimate', post({ model: 'fast' }));

  const made = (await check('POST', '/api/keys', '/api/keys', post({ name: 'short-lived', scopes: ['inference'] }))) as {
    id?: string;
    key?: string;
  };
  await check('POST', '/api/keys', '/api/keys', post({ name: '', scopes: ['flying'] }));
  await check('GET', '/api/keys', '/api/keys');
  const { id } = made as { id: string };
  expect(id).toBeDefined();
  await check('GET', '/api/keys/{id}', `/api/keys/${id}`);
  await check('GET', '/api/keys/{id}', `/api/keys/01a1f863-0000-7000-8000-000000000000`);
  await check('PATCH', '/api/keys/{id}', `/api/keys/${id}`, {
    body: JSON.stringify({ name: 'renamed', concurrent: 4, tokens_per_minute: null }),
  });
  await check('PATCH', '/api/keys/{id}', `/api/keys/${id}`, { body: JSON.stringify({}) });
  await check('POST', '/api/keys/{id}/rotate', `/api/keys/${id}/rotate`, post({}));
  await check('PATCH', '/api/keys/{id}', `/api/keys/${id}`, post({ name: 'renamed' }));
  await check('PATCH', '/api/keys/{id}', `/api/keys/${id}`, post({ nothing: 1 }));
  await check('DELETE', '/api/keys/{id}', `/api/keys/${id}`);
  await check('POST', '/api/keys/{id}/rotate', `/api/keys/${id}/rotate`, post({}));

  const organizations = (await check('GET', '/api/organizations', '/api/organizations?limit=1')) as {
    data: { id: string; tier: string }[];
  };
  expect(organizations.data).toMatchObject([{ slug: 'default', tier: 'unlimited' }]);
  const own = `/api/organizations/${organizations.data[0]!.id}`;
  await check('GET', '/api/organizations/{id}', own);
  await check('GET', '/api/organizations/{id}', '/api/organizations/01a1f863-0000-7000-8000-000000000000');
  await check('PATCH', '/api/organizations/{id}', own, { body: JSON.stringify({ tier: 'platinum' }) });
  await check('PATCH', '/api/organizations/{id}', own, { body: JSON.stringify({ tier: 'unlimited' }) });

  const trial = { name: 'Trial', subject: 'organization', period: 'month', limit_usd: '900' };
  const budget = (await check('POST', '/api/budgets', '/api/budgets', post(trial))) as { id: string };
  await check('POST', '/api/budgets', '/api/budgets', post({ ...trial, limit_nano_usd: 1 }));
  await check('POST', '/api/budgets', '/api/budgets', post({ ...trial, subject: 'key' }));
  await check('POST', '/api/budgets', '/api/budgets', post({ ...trial, organization_id: '01a1f863-0000-7000-8000-000000000000' }));
  await check('GET', '/api/budgets', '/api/budgets?limit=1');
  await check('GET', '/api/budgets', '/api/budgets?all_organizations=true');
  await check('GET', '/api/budgets', '/api/budgets?cursor=nonsense');
  await check('GET', '/api/budgets/{id}', `/api/budgets/${budget.id}`);
  await check('GET', '/api/budgets/{id}', '/api/budgets/01a1f863-0000-7000-8000-000000000000');
  await check('PATCH', '/api/budgets/{id}', `/api/budgets/${budget.id}`, post({ limit_usd: '901', enforcement: 'soft' }));
  await check('DELETE', '/api/budgets/{id}', `/api/budgets/${budget.id}`);
  await check('DELETE', '/api/budgets/{id}', `/api/budgets/${budget.id}`);

  await check('GET', '/health/detailed', '/health/detailed');
  await check('GET', '/health/detailed', '/health/detailed', { key: null });
  await check('GET', '/api/health/status', '/api/health/status', { key: null });
  await check('GET', '/api/health/detailed', '/api/health/detailed');
  await check('GET', '/api/health/detailed', '/api/health/detailed', { key: null });
  for (const query of ['', '?call_providers=true', '?call_providers=maybe'])
    await check('GET', '/api/health/diagnostics', `/api/health/diagnostics${query}`);
  for (const path of ['/health/ready', '/health/detailed'])
    await check('GET', path, path, { headers: { accept: 'application/health+json' } });
  await check('GET', '/health/circuit-breakers', '/health/circuit-breakers');
  await check('GET', '/health/circuit-breakers', '/health/circuit-breakers?state=ajar');
  await check('GET', '/health/circuit-breakers', '/health/circuit-breakers', { key: null });
  for (const action of ['open', 'close']) {
    const path = `/api/circuit-breakers/${action}`;
    for (const body of [{ name: 'lab/demo' }, { name: 'lab/nothing' }, {}]) await check('POST', path, path, post(body));
  }

  await check('GET', '/api/configuration', '/api/configuration');
  await check('GET', '/api/configuration', '/api/configuration', { key: null });
  await check('POST', '/api/reload', '/api/reload');
  const file = join(gateway.server.folder, 'holdfast.config.yaml');
  const configuration = readFileSync(file);
  writeFileSync(file, 'models: { broken: 1 }');
  await check('POST', '/api/reload', '/api/reload');
  writeFileSync(file, configuration);
  await check('GET', '/api/rate-limits', '/api/rate-limits');
  await check('GET', '/api/rate-limits', `/api/rate-limits?organization_id=${organizations.data[0]!.id}`);
  await check('GET', '/api/rate-limits', '/api/rate-limits?address=203.0.113.7');
  await check('GET', '/api/rate-limits', '/api/rate-limits?address=somewhere');
  await check('GET', '/api/rate-limits/self', '/api/rate-limits/self');

  for (const path of ['/api/health/metrics', '/api/admin/metrics', '/admin/metrics']) {
    const report = (await check('GET', path, `${path}?window_minutes=30`)) as PerformanceMeasurements;
    expect(report.requests.routes).toContainEqual(expect.objectContaining({ method: 'POST', route: '/v1/embeddings', count: 1 }));
    expect(report.model_calls.models).toContainEqual(expect.objectContaining({ provider: 'primary', model: 'fast' }));
    expect(report.database.queries.length).toBeGreaterThan(3);
    await check('GET', path, `${path}?window_minutes=0`);
    await check('GET', path, path, { key: null });
  }
  const { usage } = (await check('GET', '/api/admin/metrics', '/api/admin/metrics?limit=1')) as PerformanceReport;
  expect(usage.organizations).toMatchObject([{ id: organizations.data[0]!.id }]);
  expect(usage.organizations[0]!.model_calls).toBeGreaterThan(5);

  const erase = { organization_id: null, kind: 'end_user', value: 'nobody' };
  expect(await check('POST', '/api/personal-data/erase', '/api/personal-data/erase', post(erase))).toEqual({ references: 0 });
  await check('POST', '/api/personal-data/erase', '/api/personal-data/erase', post({ ...erase, kind: 'shoes' }));
  await check('POST', '/api/personal-data/erase', '/api/personal-data/erase', { ...post(erase), key: null });
  await check('POST', '/api/log-level', '/api/log-level', post({ level: 'debug', for_seconds: 60 }));
  expect(await check('GET', '/api/log-level', '/api/log-level')).toMatchObject({ level: 'debug', configured: 'info' });
  await check('POST', '/api/log-level', '/api/log-level', post({ level: 'loud' }));
  await check('GET', '/api/log-level', '/api/log-level', { key: null });
  await check('POST', '/api/log-level', '/api/log-level', post({ level: 'info' }));
  const requests = (await check('GET', '/api/request-log', '/api/request-log?limit=1&status=2xx')) as RequestLogPage;
  await check('GET', '/api/request-log', '/api/request-log?status=fine');
  await check('GET', '/api/request-log', '/api/request-log', { key: null });
  expect(requests.data).toMatchObject([{ status: 200, organization_id: organizations.data[0]!.id }]);
  await check('GET', '/api/request-log/{id}', `/api/request-log/${requests.data[0]!.id}`);
  await check('GET', '/api/request-log/{id}', '/api/request-log/01a1f863-0000-7000-8000-000000000000');
  const shown = await gateway.server.cli('request-log', '--route', '/v1/embeddings', '--json');
  expect(JSON.parse(shown.out)).toMatchObject({ data: [{ method: 'POST', route: '/v1/embeddings', status: 200 }] });
  await check('GET', '/api/alerts', '/api/alerts?limit=5');
  await check('GET', '/api/alerts', '/api/alerts?cursor=nonsense');
  await check('GET', '/api/alerts/rules', '/api/alerts/rules');
  await check('GET', '/api/alerts/deliveries', '/api/alerts/deliveries');
  await check('POST', '/api/alerts/test', '/api/alerts/test', post({}));
  await check('POST', '/api/alerts/test', '/api/alerts/test', post({ channel: 'nothing' }));
  const silence = (await check(
    'POST',
    '/api/alerts/silences',
    '/api/alerts/silences',
    post({ matchers: [{ label: 'rule', value: 'disk*' }], ends_at: new Date(Date.now() + 60_000).toISOString(), reason: 'a test' }),
  )) as { id: string };
  await check('POST', '/api/alerts/silences', '/api/alerts/silences', post({ matchers: [] }));
  await check('GET', '/api/alerts/silences', '/api/alerts/silences');
  await check('DELETE', '/api/alerts/silences/{id}', `/api/alerts/silences/${silence.id}`);
  await check('DELETE', '/api/alerts/silences/{id}', `/api/alerts/silences/${silence.id}`);
  const firing = (await check('GET', '/api/alerts', '/api/alerts?rule=spent-nothing')) as { data: { id: string }[] };
  await check('GET', '/api/alerts/{id}', `/api/alerts/${firing.data[0]!.id}`);
  await check('GET', '/api/alerts/{id}', '/api/alerts/01a1f863-0000-7000-8000-000000000000');
  await check('POST', '/api/alerts/{id}/acknowledge', `/api/alerts/${firing.data[0]!.id}/acknowledge`, post({ note: 'a test' }));
  await check('POST', '/api/alerts/{id}/acknowledge', '/api/alerts/01a1f863-0000-7000-8000-000000000000/acknowledge', post({}));

  const events = (await check('GET', '/api/audit/events', '/api/audit/events?limit=1&personal=true')) as { data: { id: string }[] };
  for (const query of ['type=key.*&outcome=success', 'cursor=nonsense', 'colour=red', 'organization_id=instance'])
    await check('GET', '/api/audit/events', `/api/audit/events?${query}`);
  await check('GET', '/api/audit/events', '/api/audit/events', { key: null });
  const eventPath = `/api/audit/events/${events.data[0]!.id}`;
  await check('GET', '/api/audit/events/{id}', eventPath);
  await check('GET', '/api/audit/events/{id}', '/api/audit/events/01a1f863-0000-7000-8000-000000000000');
  expect(await check('GET', '/api/audit/events/{id}/proof', `${eventPath}/proof`)).toMatch(/^c2sp\.org\/tlog-proof@v1\n/);
  await check('GET', '/api/audit/checkpoint', '/api/audit/checkpoint');
  await check('GET', '/api/audit/consistency', '/api/audit/consistency?from=1');
  await check('GET', '/api/audit/consistency', '/api/audit/consistency?from=999999999');
  await check('GET', '/api/audit/keys', '/api/audit/keys');
  await check('GET', '/api/audit/publications', '/api/audit/publications');
  await check('GET', '/api/audit/activity/users/{id}', `/api/audit/activity/users/${organizations.data[0]!.id}`);
  await check('GET', '/api/audit/activity/organizations/{id}', `/api/audit/activity/organizations/${organizations.data[0]!.id}`);
  for (const name of ['access-review', 'security-incidents', 'personal-data', 'gossip']) {
    await check('GET', '/api/audit/reports/{name}', `/api/audit/reports/${name}`);
    await check('GET', '/api/audit/reports/{name}/page', `/api/audit/reports/${name}/page?organization_id=${organizations.data[0]!.id}`);
  }
  for (const query of ['', '?format=csv', '?format=xls']) await check('GET', '/api/audit/export', `/api/audit/export${query}`);

  const banned = (await check('POST', '/api/bans', '/api/bans', post({ range: '203.0.113.0/24', note: 'a test' }))) as { id: string };
  await check('POST', '/api/bans', '/api/bans', post({ range: 'nowhere' }));
  await check('GET', '/api/bans', '/api/bans?limit=1');
  await check('GET', '/api/bans', '/api/bans?cursor=nonsense');
  await check('GET', '/api/bans/{id}', `/api/bans/${banned.id}`);
  await check('GET', '/api/bans/{id}', '/api/bans/nonsense');
  await check('DELETE', '/api/bans/{id}', `/api/bans/${banned.id}`);
  await check('DELETE', '/api/bans/{id}', `/api/bans/${banned.id}`);

  for (const path of ['/health', '/health/live', '/health/ready', '/metrics']) await check('GET', path, path, { key: null });

  const tested = (await check('POST', '/api/health/test-endpoints', '/api/health/test-endpoints')) as EndpointTestReportBody;
  expect(tested.tests.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(tested.passed).toBeGreaterThan(100);
  const left = (await check('GET', '/api/organizations', '/api/organizations')) as { data: { slug: string }[] };
  expect(left.data.map(({ slug }) => slug)).toEqual(['default']);
  await check('POST', '/api/health/test-endpoints', '/api/health/test-endpoints', { key: null });

  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...seen.keys()].toSorted(), 'every described route was called').toEqual(described.toSorted());
  for (const [route, statuses] of seen)
    expect(
      [...statuses].some((status) => status.startsWith('2')),
      `${route} succeeded`,
    ).toBe(true);
});

test('what is not described is not served', async () => {
  for (const path of ['/api', '/v1', '/api/nothing', '/v1/nothing', '/nothing']) {
    const response = await gateway.fetch(path);
    expect(response.status, path).toBe(404);
  }
});

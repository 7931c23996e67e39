import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorTable } from '@holdfast/kit/errors';
import { metricCatalogue, type MetricDefinition } from '@holdfast/kit/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { serverMetricSections } from '../packages/server/src/composition/metric-catalogue.ts';
import { startServer, type RunningServer } from '../packages/server/test/support/server.ts';
import { lacks } from './support/programs.ts';
import { readQuery, type Query } from './support/promql.ts';
import { startTestRedis, type TestRedis } from './support/redis.ts';

// Alert rules and dashboards that ask for a metric that is not there are silent, and nobody sees that they are.

const repository = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const token = 'token-of-this-prometheus';
const withoutRedis = lacks('redis-server');

const definitions: readonly MetricDefinition[] = [...metricCatalogue, ...serverMetricSections].flatMap((section) => section.definitions);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}
const rules = (parse(read('deploy/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly query: string }[] };
}
const dashboards = globSync('deploy/grafana/*.json', { cwd: repository })
  .toSorted()
  .map((path) => JSON.parse(read(path)) as Dashboard);

/** Grafana puts these in; Prometheus knows none of them. */
const grafanaVariables: Readonly<Record<string, string>> = { $__rate_interval: '5m', $__range: '1d', $instance: '.*', $model: '.*' };

/** All that anybody is told to ask for, and where. */
const queries: readonly { readonly where: string; readonly query: string }[] = [
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, query: expr })),
  ...definitions.map(({ name, example }) => ({ where: `example of ${name}`, query: example })),
  ...dashboards.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => ({
        where: `${title}: ${panel.title}`,
        query: expr.replaceAll(/\$\w+/g, (variable) => grafanaVariables[variable] ?? variable),
      })),
    ),
  ),
];

/** Given by Prometheus itself. */
const labelsOfPrometheus = ['instance', 'job', 'le'];

/**
 * What this traffic cannot bring about: metrics that are there and have counted nothing. Their labels are taken from their definition. Kept
 * short: whatever can be made to happen here should.
 */
const uncounted: ReadonlySet<string> = new Set([
  'holdfast_abuse_events_total',
  'holdfast_alert_changes_total',
  'holdfast_alert_deliveries_total',
  'holdfast_budget_lease_duration_seconds',
  'holdfast_bulkhead_rejections_total',
  'holdfast_database_connections_lost_total',
  'holdfast_database_pool_exhausted_total',
  'holdfast_fallbacks_total',
  'holdfast_hedges_total',
  'holdfast_metrics_overflow_total',
  'holdfast_metrics_rejected_total',
  'holdfast_process_faults_total',
  'holdfast_rate_limit_evictions_total',
  'holdfast_rate_limit_settlements_lost_total',
  'holdfast_shed_total',
  'holdfast_timeouts_total',
]);

/** Label names and values that were seen, by the metric of a query: of a histogram that is `x_bucket`, `x_sum` or `x_count`. */
type Seen = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

function seenIn(text: string): Seen {
  const seen = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split('\n')) {
    const [, name, pairs = ''] = /^([a-z0-9_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = seen.get(name) ?? new Map<string, Set<string>>();
    seen.set(name, labels);
    for (const [, label, value] of pairs.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) {
      labels.set(label!, (labels.get(label!) ?? new Set()).add(value!));
    }
  }
  return seen;
}

function definitionOf(metric: string): MetricDefinition | undefined {
  return definitions.find(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(metric) : name === metric,
  );
}

describe('the metrics of a server that has served something', () => {
  let redis: TestRedis | undefined;
  let server: RunningServer;
  let text: string;
  let openMetrics: string;
  let seen: Seen;

  const scrape = async (headers: Record<string, string> = {}) =>
    fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}`, ...headers } });

  beforeAll(async () => {
    redis = withoutRedis ? undefined : await startTestRedis();
    const port = (await redis?.proxy())?.port;
    server = await startServer({
      env: {
        METRICS_TOKEN: token,
        NODE_OPTIONS: `--conditions=dev-source --import=${pathToFileURL(join(import.meta.dirname, 'support/own-metrics.mjs')).href}`,
        ...(port !== undefined && { REDIS_URL: `redis://127.0.0.1:${port}` }),
      },
      config: {
        providers: { lab: { kind: 'sandbox', models: { broken: { status: 500 }, unwell: { status: 500 } } } },
        models: {
          fast: { targets: ['lab/demo', 'lab/other'], strategy: 'weighted' },
          poor: { targets: ['lab/broken'], retry: { attempts: 2, firstDelayMs: 1 }, breaker: { threshold: 2 } },
          rescued: { targets: ['lab/unwell', 'lab/demo'], retry: { attempts: 1 } },
        },
        rateLimits: { endpoints: { 'GET /api/usage': { requestsPerMinute: 1, burst: 1 } } },
      },
    });
    await serveSomething();
    openMetrics = await (await scrape({ accept: 'application/openmetrics-text; version=1.0.0' })).text();
    // The second scrape, which also says how long the first one took.
    text = await (await scrape()).text();
    seen = seenIn(text);
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });

  async function serveSomething(): Promise<void> {
    const call = async (model: string, more: object = {}, key = server.key): Promise<void> => {
      const answer = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }], ...more }),
      });
      await answer.text();
    };
    const get = async (path: string, method = 'GET'): Promise<void> => {
      await (await fetch(server.url + path, { method, headers: { authorization: `Bearer ${server.key}` } })).text();
    };
    await Promise.all([
      call('fast'),
      call('fast', { stream: true }),
      call('rescued'),
      call('nobody/nothing'),
      call('fast', {}, 'hf_nonsense'),
    ]);
    // The second opens the breaker, the third is kept away by it.
    for (let times = 0; times < 3; times++) await call('poor');
    await get('/api/usage');
    await get('/api/usage');
    await get('/api/reload', 'POST');
    await fetch(`${server.url}/api/bans`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ range: '203.0.113.7' }),
    });
  }

  test('are the whole catalogue and nothing else', () => {
    const families = [...text.matchAll(/^# TYPE (holdfast_\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const named = (some: readonly MetricDefinition[]) => some.map(({ name, type }) => `${name} ${type}`);
    expect(families.filter((family) => !named(definitions).includes(family))).toEqual([]);
    expect(named(definitions.filter(({ only }) => only === undefined)).filter((family) => !families.includes(family))).toEqual([]);
  });

  test('have the labels of their definition, in its order', () => {
    for (const [metric, labels] of seen) {
      if (!metric.startsWith('holdfast_')) continue;
      const definition = definitionOf(metric);
      expect(definition, metric).toBeDefined();
      const expected = [...Object.keys(definition!.labels), ...(metric.endsWith('_bucket') ? ['le'] : [])];
      expect([...labels.keys()], metric).toEqual(expected);
    }
  });

  test('have counted something, all but those that this traffic cannot bring about', () => {
    const silent = definitions.filter(
      ({ name, only }) => only === undefined && ![...seen.keys()].some((metric) => definitionOf(metric)?.name === name),
    );
    expect(silent.map(({ name }) => name).filter((name) => !uncounted.has(name))).toEqual([]);
  });

  test.each(queries)('$where asks for what is there', ({ query }) => {
    const asked = readQuery(query);
    expect(asked.selectors.length).toBeGreaterThan(0);
    expect(faultsOf(asked)).toEqual([]);
  });

  /** What a query asks for in vain. */
  function faultsOf({ selectors, grouping }: Query): string[] {
    const faults: string[] = [];
    const known = new Set(labelsOfPrometheus);
    for (const { metric, matchers } of selectors) {
      if (metric === 'up') continue;
      const definition = definitionOf(metric);
      const labels = seen.get(metric);
      if (!definition || (!labels && definition.only === undefined && !uncounted.has(definition.name))) {
        faults.push(`no metric ${metric}`);
        continue;
      }
      for (const label of Object.keys(definition.labels)) known.add(label);
      for (const { label, operator, value } of matchers) {
        if (labelsOfPrometheus.includes(label)) continue;
        if (definition.labels[label] === undefined) faults.push(`${metric} has no label ${label}`);
        else if (operator === '=' && !isValue(value, labels?.get(label), definition.labels[label])) {
          faults.push(`${metric}: ${label} is never "${value}"`);
        }
      }
    }
    for (const label of grouping) if (!known.has(label)) faults.push(`nothing has the label ${label}`);
    return faults;
  }

  /** It was seen, stands in what the definition says of the label, or is a code of the error table. */
  function isValue(value: string, values: ReadonlySet<string> | undefined, meaning: string): boolean {
    return (values?.has(value) ?? false) || meaning.includes(`\`${value}\``) || value in errorTable;
  }

  test('are told to nobody without the token, whatever is sent in its place', async () => {
    for (const authorization of [
      undefined,
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
      `Bearer ${server.key}`,
    ]) {
      const answer = await fetch(`${server.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } });
      expect(answer.status, authorization).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(await answer.json()).toMatchObject({ error: { reason: 'metrics_token_wrong' } });
    }
    expect(server.output()).not.toContain(token);
  });

  test('have those of a module that was loaded with the server', () => {
    expect(text).toMatch(/^licence_end_timestamp_seconds 1798761600$/m);
  });

  test('come as OpenMetrics to whoever asks for it', async () => {
    const answer = await scrape({ accept: 'application/openmetrics-text; version=1.0.0' });
    expect(answer.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect((await answer.text()).endsWith('# EOF\n')).toBe(true);
    expect(openMetrics).toContain('# TYPE holdfast_http_requests counter');
  });

  describe.skipIf(lacks('promtool'))('and Prometheus itself', () => {
    const promtool = (words: readonly string[], input?: string) => {
      const { stdout, stderr, status } = spawnSync('promtool', words, {
        cwd: join(repository, 'deploy/prometheus'),
        input,
        encoding: 'utf8',
      });
      return { said: stdout + stderr, status };
    };

    test('is pleased by names, units and help texts', () => {
      expect(promtool(['check', 'metrics'], text)).toEqual({ said: '', status: 0 });
    });

    test('takes configuration and rules', () => {
      expect(promtool(['check', 'config', 'prometheus.yml'])).toMatchObject({ status: 0 });
    });

    test('finds that each rule fires when it should and is silent otherwise', () => {
      const { said, status } = promtool(['test', 'rules', 'rules.test.yml']);
      expect(status, said).toBe(0);
    });
  });
});

describe('an alert rule', () => {
  interface Check {
    readonly expr: string;
    readonly exp_samples: readonly { readonly value: number }[];
  }
  const checks = (parse(read('deploy/prometheus/rules.test.yml')) as { tests: { promql_expr_test?: Check[] }[] }).tests.flatMap(
    (each) => each.promql_expr_test ?? [],
  );
  const guide = read('docs/guides/prometheus-alerts.md');

  test.each(rules)('$alert is tested to fire and to be silent, and says what to do', ({ alert, labels, annotations }) => {
    const ofAlert = checks.filter(({ expr }) => expr.includes(`alertname="${alert}"`)).map((check) => check.exp_samples.length);
    expect(ofAlert).toContain(1);
    expect(ofAlert).toContain(0);
    expect(labels.severity).toMatch(/^(?:critical|warning|info)$/);
    expect(annotations.summary.length).toBeGreaterThan(10);
    expect(annotations.description.length).toBeGreaterThan(20);
    expect(annotations.runbook).toBe(`docs/guides/prometheus-alerts.md#${alert.toLowerCase()}`);
    expect(guide).toMatch(new RegExp(`^### ${alert}$`, 'm'));
  });

  test('has a name of its own, and the guide speaks of no other', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    expect([...guide.matchAll(/^### (Holdfast\w+)$/gm)].map(([, name]) => name)).toEqual(names);
  });
});

describe('a dashboard', () => {
  test('there is one for each question, and links lead from one to the others', () => {
    expect(dashboards.map(({ uid }) => uid)).toEqual([
      'holdfast-database',
      'holdfast-overview',
      'holdfast-providers',
      'holdfast-tenants-and-cost',
    ]);
  });

  test.each(dashboards)('$title says of each panel what it shows, and asks one data source of the reader’s choice', (dashboard) => {
    const panels = dashboard.panels.filter(({ type }) => type !== 'row');
    expect(panels.length).toBeGreaterThan(8);
    for (const panel of panels) {
      expect(panel.description, panel.title).toBeTruthy();
      expect(panel.targets!.length, panel.title).toBeGreaterThan(0);
    }
    const sources = [...JSON.stringify(dashboard).matchAll(/"type":"prometheus","uid":"([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(sources)).toEqual(new Set(['${datasource}']));
    for (const { query, type } of dashboard.templating.list) {
      if (type === 'query') expect(definitionOf(/^label_values\((\w+),/.exec(query)![1]!)).toBeDefined();
    }
  });
});

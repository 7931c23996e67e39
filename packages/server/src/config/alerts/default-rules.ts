import type { AlertRuleConfiguration } from './alert-configuration.ts';
import { alertMetrics } from './alert-metrics.ts';

/** What a rule has when neither it nor the package says. */
export const ruleDefaults = Object.freeze({
  windowMs: 300_000,
  forMs: 60_000,
  resolveAfterMs: 60_000,
  minCount: 1,
  severity: 'warning',
  labels: Object.freeze({}),
  where: Object.freeze({}),
  groupBy: Object.freeze([]) as readonly string[],
  action: '',
  look: Object.freeze([]) as readonly string[],
} as const);

type Own = Pick<AlertRuleConfiguration, 'name' | 'metric' | 'threshold' | 'summary'> & Partial<AlertRuleConfiguration>;

/** A whole rule from what is said of it. */
export function completeRule(own: Own): AlertRuleConfiguration {
  const { unit, bad } = alertMetrics[own.metric];
  return { ...ruleDefaults, unit, bad, resolveThreshold: own.threshold, ...own };
}

const guide = 'docs/guides/alerts.md#';

function rule(name: string, own: Omit<Own, 'name'>): AlertRuleConfiguration {
  return completeRule({ ...own, name, look: [...(own.look ?? []), `${guide}${name}`] });
}

/** The rules that come with the package. A file changes single values of them by name, or takes one out by `false`. */
export const defaultAlertRules: readonly AlertRuleConfiguration[] = [
  rule('error-rate', {
    metric: 'error_ratio',
    threshold: 0.05,
    resolveThreshold: 0.03,
    minCount: 20,
    severity: 'critical',
    summary: 'Requests fail: more answers are 5xx than is bearable.',
    action:
      'Find the code that most of them have. Those of providers (provider_…, model_unavailable) are mended by another target or by the provider, database_… by the database, internal_error is a fault of Holdfast.',
    look: ['GET /api/usage?outcome=failed', 'GET /health/circuit-breakers', 'holdfast_errors_total by code'],
  }),
  rule('server-error-burst', {
    metric: 'server_errors',
    threshold: 9,
    resolveThreshold: 0,
    windowMs: 60_000,
    forMs: 0,
    summary: 'Ten or more answers within a minute were 5xx.',
    action: 'Look whether it goes on. If not, find the request ids in the log; if so, error-rate follows.',
    look: ['GET /api/usage?outcome=failed', 'the log, level error'],
  }),
  rule('api-latency', {
    metric: 'api_latency_seconds',
    threshold: 2,
    resolveThreshold: 1.5,
    minCount: 20,
    summary: 'The API under /api is slow.',
    action: 'It is mostly the database: look for slow statements in the log, and for connections that wait.',
    look: ['GET /health/detailed', 'holdfast_http_request_duration_seconds by route'],
  }),
  rule('overhead-latency', {
    metric: 'overhead_seconds',
    threshold: 2,
    resolveThreshold: 1.5,
    minCount: 20,
    severity: 'critical',
    summary: 'Holdfast itself makes calls of models slow.',
    action:
      'The process has too much to do, or the ledger waits for the database. Look at event loop, ledger queue and database; add an instance.',
    look: ['GET /health/detailed', 'holdfast_llm_overhead_seconds'],
  }),
  rule('model-latency', {
    metric: 'model_latency_seconds',
    threshold: 60,
    resolveThreshold: 45,
    minCount: 10,
    groupBy: ['model'],
    summary: 'Calls of a model take long.',
    action: 'Ask the status page of the provider. Give the model a second target, or a shorter firstTokenMs and a hedge.',
    look: ['GET /health/circuit-breakers', 'holdfast_llm_call_duration_seconds by model and provider'],
  }),
  rule('breaker-open', {
    metric: 'breaker_open',
    threshold: 0,
    summary: 'A circuit breaker is open: a provider fails and is left alone.',
    action:
      'Calls go to the other targets of the model, if it has some. Ask the status page of the provider; the breaker closes by itself when a probe succeeds.',
    look: ['GET /health/circuit-breakers', 'holdfast breakers list'],
  }),
  rule('dependency-down', {
    metric: 'dependency_down',
    threshold: 0,
    forMs: 30_000,
    severity: 'critical',
    summary: 'Something that Holdfast depends on fails.',
    action: 'Without the database nothing is served. Redis: each instance goes on by itself. The log says why it fails.',
    look: ['GET /health/detailed', 'GET /health/ready'],
  }),
  rule('ledger-unavailable', {
    metric: 'ledger_unavailable',
    threshold: 0,
    forMs: 0,
    severity: 'critical',
    summary: 'Calls cannot be recorded, so none is served.',
    action: 'See the database: is it there, has it room, does it take writes?',
    look: ['GET /health/ready', 'the log, code ledger_unavailable'],
  }),
  rule('ledger-queue', {
    metric: 'ledger_queue',
    threshold: 1_000,
    resolveThreshold: 500,
    severity: 'critical',
    summary: 'Rows wait to be written to the ledger, and answers wait with them.',
    action: 'The database is slow to commit: look at its disk and its locks. Beyond overload.maxLedgerQueue requests are refused.',
    look: ['holdfast_load_ratio{signal="ledger_queue"}', 'the log, a slow statement'],
  }),
  rule('spill', {
    metric: 'spill_used_ratio',
    threshold: 0.5,
    resolveThreshold: 0.25,
    forMs: 0,
    severity: 'critical',
    summary: 'The database is away, and the disk space for calls is half used up. When it is full, calls are refused.',
    action: 'Bring the database back. Free what else is on the disk; a larger HOLDFAST_SPILL_MAX_BYTES is in force after a restart.',
    look: ['holdfast_ledger_spill_bytes', 'GET /health/detailed', 'docs/guides/database-away.md'],
  }),
  rule('event-loop', {
    metric: 'event_loop_delay_seconds',
    threshold: 0.5,
    resolveThreshold: 0.2,
    summary: 'The process has more to do than it can: its event loop is late.',
    action: 'Add an instance, or find out who asks for so much. Beyond overload.eventLoopDelayMs requests are refused.',
    look: ['GET /api/rate-limits', 'holdfast_load_ratio{signal="event_loop_delay"}'],
  }),
  rule('memory', {
    metric: 'memory_used_ratio',
    threshold: 0.9,
    resolveThreshold: 0.85,
    forMs: 120_000,
    summary: 'The process uses most of the memory that it may use.',
    action: 'Give the container more, or the instance fewer streams. When it is full the kernel ends the process.',
    look: ['GET /health/detailed', 'holdfast_process_resident_memory_bytes'],
  }),
  rule('heap', {
    metric: 'heap_used_ratio',
    threshold: 0.9,
    resolveThreshold: 0.8,
    forMs: 120_000,
    summary: 'The JavaScript heap is nearly full.',
    action: 'Restart the instance in time, and raise the heap (NODE_OPTIONS=--max-old-space-size=…). When it is full the process ends.',
    look: ['GET /health/detailed', 'holdfast_nodejs_heap_size_used_bytes'],
  }),
  rule('disk', {
    metric: 'disk_used_ratio',
    threshold: 0.9,
    resolveThreshold: 0.88,
    forMs: 0,
    summary: 'The disk of the data folder is filling.',
    action: 'Free some room or give it more before it is full: the embedded database then stops writing, and no call is served.',
    look: ['GET /health/detailed'],
  }),
  rule('disk-full', {
    metric: 'disk_used_ratio',
    threshold: 0.97,
    resolveThreshold: 0.95,
    forMs: 0,
    severity: 'critical',
    summary: 'The disk of the data folder is nearly full.',
    action: 'Free some room now: the embedded database stops writing when it is full, and no call is served.',
    look: ['GET /health/detailed'],
  }),
  rule('budget-half', {
    metric: 'budget_used_ratio',
    threshold: 0.5,
    forMs: 0,
    severity: 'info',
    groupBy: ['budget'],
    summary: 'Half of a budget is spent.',
    action: 'Nothing, when that is about what was expected by now.',
    look: ['holdfast budgets list', 'GET /api/costs'],
  }),
  rule('budget-low', {
    metric: 'budget_used_ratio',
    threshold: 0.8,
    forMs: 0,
    groupBy: ['budget'],
    summary: 'Four fifths of a budget are spent.',
    action: 'Talk to whoever spends it, or raise the limit (holdfast budgets change) before calls are refused.',
    look: ['holdfast budgets list', 'GET /api/costs'],
  }),
  rule('budget-spent', {
    metric: 'budget_used_ratio',
    threshold: 0.9999,
    forMs: 0,
    severity: 'critical',
    groupBy: ['budget'],
    summary: 'A budget is spent. A hard one refuses calls.',
    action: 'Raise the limit (holdfast budgets change), or wait for the next day or month of UTC.',
    look: ['holdfast budgets list', 'GET /api/costs'],
  }),
  rule('key-expiry', {
    metric: 'key_expiry_days',
    threshold: 7,
    resolveThreshold: 7,
    forMs: 0,
    summary: 'API keys end within a week.',
    action: 'Rotate them with those who use them (holdfast keys rotate), or revoke those that nobody needs.',
    look: ['GET /api/keys', 'holdfast keys list'],
  }),
  rule('certificate-expiry', {
    metric: 'certificate_expiry_days',
    threshold: 14,
    resolveThreshold: 15,
    forMs: 0,
    groupBy: ['host'],
    summary: 'The certificate of a provider ends within two weeks.',
    action: 'Tell those who run it. When it has ended, no call goes there.',
  }),
  rule('alert-delivery', {
    metric: 'alert_deliveries_failed',
    threshold: 2,
    resolveThreshold: 0,
    windowMs: 1_800_000,
    forMs: 0,
    summary: 'Alerts cannot be told to a channel.',
    action: 'Try it with holdfast alerts test, and mend its address or key.',
    look: ['GET /api/alerts/deliveries?status=failed', 'holdfast alerts test'],
  }),
];

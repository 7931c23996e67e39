import type { MetricDefinitions, MetricSection } from '@holdfast/kit/telemetry';
import { budgetMetrics } from './budget-metrics.ts';
import { auditMetrics } from './audit-metric-catalogue.ts';
import { counter, gauge } from './metric-definition.ts';

const role = 'role in the database, each of which has a pool of its own';
const query = {
  operation: '`select`, `insert`, `update`, `delete`, `merge`, `begin`, `commit`, `rollback` or `other`',
  table: 'the table that is written, or the first that is read; `none` where there is none',
};
const withTracing = { only: 'while tracing is on' };
const withSpill = { only: 'where there is a folder for it: `HOLDFAST_SPILL_DIR`' };
const withRedis = { only: 'with `REDIS_URL`' };
const withOverload = { only: 'unless `HOLDFAST_OVERLOAD_ENABLED` is false' };

/**
 * Every metric of the server's own, beside those of the kit: what is not here cannot be added, and docs/reference/metrics.md and the checks
 * of deploy/ are made from it.
 */
export const serverMetrics = {
  ...budgetMetrics,
  ...auditMetrics,
  openConnections: gauge('holdfast_http_open_connections', 'Connections of clients that are open.', 'sum(holdfast_http_open_connections)'),
  requestsInProgress: gauge(
    'holdfast_http_requests_in_progress',
    'Requests that are being answered, streams included.',
    'sum by (instance) (holdfast_http_requests_in_progress)',
  ),
  databaseQueries: counter(
    'holdfast_database_queries_total',
    'Statements, those of transactions included, by what they do and how they ended.',
    { role, ...query, outcome: '`completed` or `failed`' },
    'sum by (operation, table) (rate(holdfast_database_queries_total[5m]))',
  ),
  databaseDuration: {
    name: 'holdfast_database_query_duration_seconds',
    type: 'histogram',
    help: 'Time of a statement, without the wait for a connection.',
    labels: query,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    example: 'histogram_quantile(0.95, sum by (le, operation, table) (rate(holdfast_database_query_duration_seconds_bucket[5m])))',
  },
  poolConnections: gauge(
    'holdfast_database_pool_connections',
    'Open connections of a pool.',
    'sum by (role) (holdfast_database_pool_connections{state="busy"}) / sum by (role) (holdfast_database_pool_max_connections)',
    { labels: { role, state: '`busy` or `idle`' } },
  ),
  poolMaxConnections: gauge(
    'holdfast_database_pool_max_connections',
    'Connections that a pool may open: its share of `POSTGRES_MAX_CONNECTIONS`.',
    'sum(holdfast_database_pool_max_connections)',
    { labels: { role } },
  ),
  poolWaiting: gauge(
    'holdfast_database_pool_waiting',
    'Callers that wait for a connection of a pool.',
    'max_over_time(holdfast_database_pool_waiting[5m]) > 0',
    { labels: { role } },
  ),
  poolExhausted: counter(
    'holdfast_database_pool_exhausted_total',
    'Callers that were refused because every connection of a pool was busy for too long, or too many were waiting.',
    { role },
    'sum by (role) (increase(holdfast_database_pool_exhausted_total[5m])) > 0',
  ),
  connectionsLost: counter(
    'holdfast_database_connections_lost_total',
    'Connections that broke while nobody used them.',
    { role: `${role}; \`listen\` is the connection for notifications` },
    'increase(holdfast_database_connections_lost_total[5m])',
  ),
  dependencyUp: gauge(
    'holdfast_dependency_up',
    '1 while a dependency answers, as checks and real use see it.',
    'holdfast_dependency_up == 0',
    { labels: { dependency: '`database`, or `redis` where there is one' } },
  ),
  redisUp: gauge('holdfast_redis_up', '1 while Redis can be reached.', 'holdfast_redis_up == 0', withRedis),
  redisLosses: {
    ...counter(
      'holdfast_redis_losses_total',
      'How often Redis was lost, or could not be reached at the start.',
      {},
      'increase(holdfast_redis_losses_total[1h])',
    ),
    ...withRedis,
  },
  redisDuration: {
    name: 'holdfast_redis_command_duration_seconds',
    type: 'histogram',
    help: 'Time of a command to Redis.',
    labels: { command: '`evalsha`, `eval` or `ping`', outcome: '`completed` or `failed`' },
    buckets: [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    example: 'histogram_quantile(0.99, sum by (le, command) (rate(holdfast_redis_command_duration_seconds_bucket[5m])))',
    ...withRedis,
  },
  traceSpans: {
    ...counter(
      'holdfast_trace_spans_total',
      'Spans of traces that were kept, by what became of them.',
      {
        outcome:
          '`exported`; or lost: `dropped` (the queue was full), `rejected` (the receiver refused them), `failed` (not sent in time), `left_out` (a request had too many)',
      },
      'sum by (outcome) (rate(holdfast_trace_spans_total{outcome!="exported"}[5m])) > 0',
    ),
    ...withTracing,
  },
  traceQueue: gauge(
    'holdfast_trace_queue_length',
    'Spans that wait to be sent.',
    'max_over_time(holdfast_trace_queue_length[5m])',
    withTracing,
  ),
  errorReports: {
    ...counter(
      'holdfast_error_reports_total',
      'Errors for Sentry. Of those `reported`, its sample rate may still leave some out.',
      { outcome: '`reported`, or `dropped` (too many in a minute)' },
      'increase(holdfast_error_reports_total[1h])',
    ),
    only: 'with `SENTRY_DSN`',
  },
  ledgerAvailable: gauge('holdfast_ledger_available', '1 while calls can be recorded, and so served.', 'holdfast_ledger_available == 0'),
  ledgerQueue: gauge(
    'holdfast_ledger_queue_length',
    'Rows and intents that wait to be committed. Answers wait with them.',
    'max_over_time(holdfast_ledger_queue_length[5m])',
  ),
  spillActive: gauge(
    'holdfast_ledger_spill_active',
    '1 while the database is away and calls are recorded on the disk of the instance.',
    'max by (instance) (holdfast_ledger_spill_active) == 1',
    withSpill,
  ),
  spillBytes: gauge(
    'holdfast_ledger_spill_bytes',
    'What waits on the disk to be brought to the database, in bytes.',
    'holdfast_ledger_spill_bytes / holdfast_ledger_spill_max_bytes',
    withSpill,
  ),
  spillMaxBytes: gauge(
    'holdfast_ledger_spill_max_bytes',
    'Most that may wait there: `HOLDFAST_SPILL_MAX_BYTES`.',
    'holdfast_ledger_spill_max_bytes',
    withSpill,
  ),
  spillRecords: {
    ...counter(
      'holdfast_ledger_spill_records_total',
      'Rows and intents of calls that went by the disk.',
      {
        outcome:
          '`kept` on the disk; `replayed` to the database; `superseded`: of these, rows that took the place of `interrupted`; `refused` by the database for good',
      },
      'sum by (outcome) (increase(holdfast_ledger_spill_records_total[1h]))',
    ),
    ...withSpill,
  },
  ledgerCommitDuration: {
    name: 'holdfast_ledger_commit_duration_seconds',
    type: 'histogram',
    help: 'Time of one commit of a group of rows and intents.',
    labels: { outcome: '`completed` or `failed`' },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    example: 'histogram_quantile(0.95, sum by (le) (rate(holdfast_ledger_commit_duration_seconds_bucket[5m])))',
  },
  ledgerWrites: counter(
    'holdfast_ledger_writes_total',
    'What was committed to the ledger.',
    { kind: '`row` of a call that ended, or `intent` of one that runs' },
    'sum(rate(holdfast_ledger_writes_total[5m])) / sum(rate(holdfast_ledger_commit_duration_seconds_count{outcome="completed"}[5m]))',
  ),
  interruptedCalls: counter(
    'holdfast_ledger_interrupted_calls_total',
    'Calls of instances that died, which this one brought into the ledger as `interrupted`.',
    {},
    'increase(holdfast_ledger_interrupted_calls_total[1h])',
  ),
  breakerState: gauge(
    'holdfast_circuit_breaker_state',
    'State of a circuit breaker: 0 closed, 1 half-open, 2 open.',
    'holdfast_circuit_breaker_state == 2',
    { labels: { breaker: 'target of the configuration (`provider/model`), `database` or `redis`' } },
  ),
  rateLimitDegraded: gauge(
    'holdfast_rate_limit_driver_degraded',
    '1 while this instance limits by its share alone, since the store that instances share is away.',
    'max(holdfast_rate_limit_driver_degraded) == 1',
  ),
  rateLimitInstances: gauge(
    'holdfast_rate_limit_instances',
    'Instances that share the limits, as last known.',
    'max(holdfast_rate_limit_instances)',
    withRedis,
  ),
  shedShare: gauge(
    'holdfast_shed_share',
    'Part of the requests that is refused because of an overload, 0 to 1.',
    'holdfast_shed_share > 0',
    withOverload,
  ),
  loadRatio: gauge(
    'holdfast_load_ratio',
    'Each sign of load as a part of its limit: beyond 1, requests are refused.',
    'max by (signal) (holdfast_load_ratio)',
    { labels: { signal: '`event_loop_delay`, `heap`, `memory`, `requests_in_progress` or `ledger_queue`' }, ...withOverload },
  ),
  bansActive: gauge('holdfast_bans_active', 'Bans of addresses and ranges that are in force.', 'max(holdfast_bans_active)'),
  keysRefused: counter(
    'holdfast_keys_refused_total',
    'API keys that were not accepted, by why.',
    { code: 'of the error table' },
    'sum by (code) (rate(holdfast_keys_refused_total[5m]))',
  ),
  requestLogQueued: gauge(
    'holdfast_request_log_queued',
    'Requests that wait to be written to the request log.',
    'max(holdfast_request_log_queued)',
    { only: 'unless `HOLDFAST_REQUEST_LOG_ENABLED` is false' },
  ),
  requestLogDropped: {
    ...counter(
      'holdfast_request_log_dropped_total',
      'Requests that are missing from the request log.',
      { reason: '`queue_full`: they came faster than they could be written; `refused`: the database did not take them' },
      'sum by (reason) (increase(holdfast_request_log_dropped_total[1h]))',
    ),
    only: 'unless `HOLDFAST_REQUEST_LOG_ENABLED` is false',
  },
  reloads: counter(
    'holdfast_config_reloads_total',
    'Reloads of the configuration, by their result.',
    { result: '`applied`, `unchanged` or `rejected`' },
    'increase(holdfast_config_reloads_total{result="rejected"}[1h])',
  ),
  lastReload: gauge(
    'holdfast_config_last_reload_success_timestamp_seconds',
    'When the configuration was last read without a fault, the start included, in seconds since the Unix epoch.',
    'time() - holdfast_config_last_reload_success_timestamp_seconds',
  ),
  diskSize: gauge(
    'holdfast_data_disk_size_bytes',
    'Size of the disk with the data folder.',
    'holdfast_data_disk_free_bytes / holdfast_data_disk_size_bytes',
  ),
  diskFree: gauge(
    'holdfast_data_disk_free_bytes',
    'What is free of it, for others than the superuser.',
    'predict_linear(holdfast_data_disk_free_bytes[6h], 86400) < 0',
  ),
  alertChanges: counter(
    'holdfast_alert_changes_total',
    'Alerts of Holdfast that fired, were resolved or acknowledged; each counted by the instance that wrote it.',
    { change: '`fired`, `resolved` or `acknowledged`', severity: '`info`, `warning` or `critical`' },
    'sum by (severity) (increase(holdfast_alert_changes_total{change="fired"}[1h]))',
  ),
  alertDeliveries: counter(
    'holdfast_alert_deliveries_total',
    'Tries to tell an alert, by channel and outcome.',
    { channel: 'name of the configuration', outcome: '`delivered`, `retried` or `failed`' },
    'sum by (channel) (increase(holdfast_alert_deliveries_total{outcome!="delivered"}[1h])) > 0',
  ),
  build: gauge(
    'holdfast_build_info',
    'Always 1; the label says which version of Holdfast runs.',
    'count by (version) (holdfast_build_info)',
    {
      labels: { version: 'of Holdfast' },
    },
  ),
} as const satisfies MetricDefinitions;

export const serverMetricSections: readonly MetricSection[] = [
  { title: 'Connections', definitions: [serverMetrics.openConnections, serverMetrics.requestsInProgress] },
  {
    title: 'Database',
    definitions: [
      serverMetrics.databaseQueries,
      serverMetrics.databaseDuration,
      serverMetrics.poolConnections,
      serverMetrics.poolMaxConnections,
      serverMetrics.poolWaiting,
      serverMetrics.poolExhausted,
      serverMetrics.connectionsLost,
      serverMetrics.dependencyUp,
      serverMetrics.diskSize,
      serverMetrics.diskFree,
    ],
  },
  { title: 'Redis', definitions: [serverMetrics.redisUp, serverMetrics.redisLosses, serverMetrics.redisDuration] },
  {
    title: 'Ledger',
    definitions: [
      serverMetrics.ledgerAvailable,
      serverMetrics.ledgerQueue,
      serverMetrics.ledgerCommitDuration,
      serverMetrics.ledgerWrites,
      serverMetrics.spillActive,
      serverMetrics.spillBytes,
      serverMetrics.spillMaxBytes,
      serverMetrics.spillRecords,
      serverMetrics.interruptedCalls,
    ],
  },
  { title: 'Budgets', definitions: Object.values(budgetMetrics) },
  {
    title: 'States of breakers, limits and load',
    definitions: [
      serverMetrics.breakerState,
      serverMetrics.rateLimitDegraded,
      serverMetrics.rateLimitInstances,
      serverMetrics.shedShare,
      serverMetrics.loadRatio,
    ],
  },
  { title: 'Keys and bans', definitions: [serverMetrics.keysRefused, serverMetrics.bansActive] },
  { title: 'Traces and error reports', definitions: [serverMetrics.traceSpans, serverMetrics.traceQueue, serverMetrics.errorReports] },
  {
    title: 'Audit log',
    definitions: [
      serverMetrics.auditElected,
      serverMetrics.auditWaiting,
      serverMetrics.auditLag,
      serverMetrics.auditSequenced,
      serverMetrics.auditRejected,
      serverMetrics.auditPublications,
    ],
  },
  { title: 'Alerts', definitions: [serverMetrics.alertChanges, serverMetrics.alertDeliveries] },
  { title: 'Request log', definitions: [serverMetrics.requestLogQueued, serverMetrics.requestLogDropped] },
  { title: 'Configuration and build', definitions: [serverMetrics.reloads, serverMetrics.lastReload, serverMetrics.build] },
  { title: 'Request log', definitions: [serverMetrics.requestLogQueued, serverMetrics.requestLogDropped] },
];

export type AlertUnitName = 'seconds' | 'ratio' | 'count' | 'usd' | 'days' | 'flag';

interface MetricTraits {
  readonly unit: AlertUnitName;
  /** Which side is bad, when a rule does not say. */
  readonly bad: 'above' | 'below';
  /** Names of the labels of its values. */
  readonly labels: readonly string[];
  readonly description: string;
}

/** What rules can be about. Values over a window are of this instance; those out of the database are of all. */
export const alertMetrics = {
  api_latency_seconds: {
    unit: 'seconds',
    bad: 'above',
    labels: [],
    description: 'The 95th percentile of the times of answers of `/api`, to within 2 %.',
  },
  overhead_seconds: {
    unit: 'seconds',
    bad: 'above',
    labels: [],
    description: "The 95th percentile of Holdfast's own share of calls of models: what it adds, without the provider's time.",
  },
  model_latency_seconds: {
    unit: 'seconds',
    bad: 'above',
    labels: ['model'],
    description:
      'The 95th percentile of the times of whole calls, by the model that was asked for; those of names that are not configured are `other`.',
  },
  error_ratio: {
    unit: 'ratio',
    bad: 'above',
    labels: [],
    description: 'The part of the answers of `/v1` and `/api` that are 5xx, from 0 to 1.',
  },
  server_errors: { unit: 'count', bad: 'above', labels: [], description: 'Answers of `/v1` and `/api` that are 5xx.' },
  breaker_open: { unit: 'flag', bad: 'above', labels: ['breaker'], description: '1 while a circuit breaker of a target is open.' },
  dependency_down: {
    unit: 'flag',
    bad: 'above',
    labels: ['dependency'],
    description: '1 while the database, Redis or another dependency fails.',
  },
  ledger_unavailable: { unit: 'flag', bad: 'above', labels: [], description: '1 while calls cannot be recorded, and so are not served.' },
  ledger_queue: { unit: 'count', bad: 'above', labels: [], description: 'Rows that wait to be committed to the ledger.' },
  spill_used_ratio: {
    unit: 'ratio',
    bad: 'above',
    labels: [],
    description:
      'How much of `HOLDFAST_SPILL_MAX_BYTES` is used by calls that wait on the disk for the database; nothing without a folder for them.',
  },
  event_loop_delay_seconds: {
    unit: 'seconds',
    bad: 'above',
    labels: [],
    description: 'The turn of the event loop that a request finds, on average.',
  },
  memory_used_ratio: { unit: 'ratio', bad: 'above', labels: [], description: 'Memory of the process as a part of what it may use.' },
  heap_used_ratio: { unit: 'ratio', bad: 'above', labels: [], description: 'The JavaScript heap as a part of what it may grow to.' },
  disk_used_ratio: { unit: 'ratio', bad: 'above', labels: ['disk'], description: 'How full the disk of the data folder is.' },
  spend_usd: {
    unit: 'usd',
    bad: 'above',
    labels: [],
    description: 'What all calls cost in the window, by the ledger; calls of unknown price count as nothing.',
  },
  organization_spend_usd: {
    unit: 'usd',
    bad: 'above',
    labels: ['organization'],
    description: 'The same by organization: the 100 that spent most.',
  },
  key_spend_usd: { unit: 'usd', bad: 'above', labels: ['organization', 'key'], description: 'The same by key.' },
  budget_used_ratio: {
    unit: 'ratio',
    bad: 'above',
    labels: ['organization', 'budget', 'name', 'enforcement'],
    description:
      'What of the limit of a budget is spent in the day or month that runs: of those that are half spent at least, the 200 fullest. 1 for a hard one that refuses.',
  },
  key_expiry_days: {
    unit: 'days',
    bad: 'below',
    labels: ['organization', 'key', 'prefix'],
    description: 'Days until API keys expire: those within 90 days that are neither revoked nor replaced.',
  },
  certificate_expiry_days: {
    unit: 'days',
    bad: 'below',
    labels: ['host'],
    description: 'Days until the certificates of configured https providers expire; asked for twice a day.',
  },
  alert_deliveries_failed: {
    unit: 'count',
    bad: 'above',
    labels: ['channel'],
    description: 'Tries of this instance to tell an alert that failed, by channel.',
  },
} as const satisfies Readonly<Record<string, MetricTraits>>;

export type AlertMetricName = keyof typeof alertMetrics;

export const alertMetricNames = Object.keys(alertMetrics) as readonly AlertMetricName[];

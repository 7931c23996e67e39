import { counter, gauge } from './metric-definition.ts';

/** Of budgets; part of `serverMetrics`. */
export const budgetMetrics = {
  budgets: gauge('holdfast_budgets', 'Budgets that the instance knows.', 'max(holdfast_budgets)'),
  budgetSlices: gauge(
    'holdfast_budget_slices_dollars',
    'What the instance holds of the windows of budgets that run, in US dollars: spent by it, reserved for calls under way, and idle.',
    'sum by (state) (holdfast_budget_slices_dollars)',
    { labels: { state: '`spent`, `reserved` or `idle`' } },
  ),
  budgetThresholds: counter(
    'holdfast_budget_thresholds_total',
    'Thresholds that budgets passed, each counted by one instance.',
    { percent: '`50`, `80` or `100`', enforcement: '`hard` or `soft`' },
    'increase(holdfast_budget_thresholds_total{percent="100"}[1h])',
  ),
  budgetRefusals: counter(
    'holdfast_budget_refusals_total',
    'Calls that a budget refused.',
    { subject: 'whose: `organization`, `user` or `key`', reason: '`exceeded`, or `unavailable` while nobody could say' },
    'sum by (subject, reason) (rate(holdfast_budget_refusals_total[5m]))',
  ),
  budgetOverruns: counter(
    'holdfast_budget_overruns_total',
    'Calls that cost more than the most that they could: a provider counted what it should not, or a limit of a model is wrong.',
    {},
    'increase(holdfast_budget_overruns_total[1d])',
  ),
  budgetLeaseDuration: {
    name: 'holdfast_budget_lease_duration_seconds',
    type: 'histogram',
    help: 'Time of one question to the database about slices of budgets. Calls wait for it only where their slice has no room.',
    labels: { outcome: '`completed` or `failed`' },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    example: 'histogram_quantile(0.95, sum by (le) (rate(holdfast_budget_lease_duration_seconds_bucket[5m])))',
  },
} as const;

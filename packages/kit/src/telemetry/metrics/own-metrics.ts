import type { MetricDefinitions } from './definition.ts';

/** What the metrics say of themselves. */
export const ownMetrics = {
  overflow: {
    name: 'holdfast_metrics_overflow_total',
    type: 'counter',
    help: 'What was counted under `other` because a metric had as many series as it may have.',
    labels: { metric: 'one that is full; those that share its labels are too' },
    example: 'rate(holdfast_metrics_overflow_total[5m]) > 0',
  },
  rejected: {
    name: 'holdfast_metrics_rejected_total',
    type: 'counter',
    help: 'Observations that were not counted: no finite numbers, below 0 for a counter, or of a gauge that could not be read.',
    labels: { metric: 'its name' },
    example: 'rate(holdfast_metrics_rejected_total[5m]) > 0',
  },
  duration: {
    name: 'holdfast_metrics_scrape_duration_seconds',
    type: 'gauge',
    help: 'How long the last scrape took to write.',
    labels: {},
    example: 'holdfast_metrics_scrape_duration_seconds > 0.1',
    only: 'from the second scrape on',
  },
} as const satisfies MetricDefinitions;

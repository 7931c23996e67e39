import type { MetricDefinitions } from '@holdfast/kit/telemetry';
import { counter, gauge } from './metric-definition.ts';

/** Part of the catalogue of the server's own metrics. */
export const auditMetrics = {
  auditPublications: {
    ...counter(
      'holdfast_audit_publications_total',
      'Checkpoints of the audit log that were to be published.',
      {
        destination: '`folder`, `webhook` or `object-store`',
        result: '`published`, `unchanged` where the last one was there already, or `failed`',
      },
      'sum by (destination) (increase(holdfast_audit_publications_total{result="failed"}[1h])) > 0',
    ),
    only: 'where checkpoints are published',
  },
  auditElected: gauge(
    'holdfast_audit_sequencer_elected',
    '1 on the instance that gives audit events their places.',
    'sum(holdfast_audit_sequencer_elected) == 1',
  ),
  auditWaiting: gauge(
    'holdfast_audit_unsequenced_events',
    'Audit events that are durable and have no place in the log yet, as last seen.',
    'max(holdfast_audit_unsequenced_events)',
  ),
  auditLag: gauge('holdfast_audit_lag_seconds', 'How long the oldest of them has waited.', 'max(holdfast_audit_lag_seconds) > 10'),
  auditSequenced: counter(
    'holdfast_audit_sequenced_events_total',
    'Audit events that got their places, by the instance that gave them.',
    {},
    'sum(rate(holdfast_audit_sequenced_events_total[5m]))',
  ),
  auditRejected: counter(
    'holdfast_audit_rejected_events_total',
    'What was handed to the audit log and is no event. Each is a fault of Holdfast, or the work of somebody with access to the database.',
    { reason: '`no_event`, `too_long`, `columns_differ`, `id_taken` or `refused_by_store`' },
    'increase(holdfast_audit_rejected_events_total[1d]) > 0',
  ),
} as const satisfies MetricDefinitions;

import { alertChanged, alertDelivered, alertSeverities } from '@holdfast/kit/alerts';
import type { Metrics } from '@holdfast/kit/telemetry';
import { serverMetrics } from './metric-catalogue.ts';

/** Counts what became of alerts and of what was to be told. Returns the function that ends it. */
export function measureAlerts(metrics: Metrics): () => void {
  const changes = metrics.addCounter(serverMetrics.alertChanges);
  for (const change of ['fired', 'resolved', 'acknowledged']) for (const severity of alertSeverities) changes.add(0, { change, severity });
  const deliveries = metrics.addCounter(serverMetrics.alertDeliveries);
  const stops = [
    alertChanged.subscribe(({ change, alert }) => changes.add(1, { change, severity: alert.severity })),
    alertDelivered.subscribe(({ channel, outcome }) => deliveries.add(1, { channel, outcome })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

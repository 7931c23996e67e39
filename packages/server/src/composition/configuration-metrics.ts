import type { Metrics } from '@holdfast/kit/telemetry';
import { configurationRejected, configurationReloaded, type ConfigurationService } from '../features/configuration/index.ts';
import { serverMetrics } from './metric-catalogue.ts';

/** Counts reloads, and shows since when the files and what is served agree. Returns the function that ends it. */
export function measureConfiguration(metrics: Metrics, service: ConfigurationService): () => void {
  const reloads = metrics.addCounter(serverMetrics.reloads);
  for (const result of ['applied', 'unchanged', 'rejected']) reloads.add(0, { result });
  metrics.addGauge(serverMetrics.lastReload, () => service.state.lastSuccessAt / 1_000);
  const stops = [
    configurationReloaded.subscribe(({ result }) => reloads.add(1, { result })),
    configurationRejected.subscribe(() => reloads.add(1, { result: 'rejected' })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

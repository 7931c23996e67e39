import type { Metrics } from '@holdfast/kit/telemetry';
import { configurationRejected, configurationReloaded, type ConfigurationService } from '../features/configuration/index.ts';

/** Counts reloads, and shows since when the files and what is served agree. Returns the function that ends it. */
export function measureConfiguration(metrics: Metrics, service: ConfigurationService): () => void {
  const count = metrics.addCounter('holdfast_config_reloads_total', 'Reloads of the configuration, by their result.', 'result', [
    'applied',
    'unchanged',
    'rejected',
  ]);
  metrics.addGauge(
    'holdfast_config_last_reload_success_timestamp_seconds',
    'When the configuration was last read without a fault, the start included, in seconds since the Unix epoch.',
    () => service.state.lastSuccessAt / 1_000,
  );
  const stops = [configurationReloaded.subscribe(({ result }) => count(result)), configurationRejected.subscribe(() => count('rejected'))];
  return () => {
    for (const stop of stops) stop();
  };
}

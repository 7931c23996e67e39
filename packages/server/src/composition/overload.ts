import type { HealthRegistry } from '@holdfast/kit/health';
import { createOverloadDetector, processSignals, type LoadSignal, type OverloadDetector } from '@holdfast/kit/resilience';
import type { Metrics } from '@holdfast/kit/telemetry';
import type { Clock, Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import type { HttpServer } from '../entry/http/index.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface OverloadOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly http: HttpServer;
  /** Rows and intents that wait to be committed. */
  readonly ledger: { readonly queued: number };
  readonly health: HealthRegistry;
  readonly metrics: Metrics | undefined;
}

/** Has the door refuse a part of the requests while there is too much to do, and says so in health and metrics. */
export function openOverload(options: OverloadOptions): void {
  const { clock, random, closers, http, ledger } = options;
  const { enabled, maxRequestsInProgress, maxLedgerQueue, ...processLimits } = options.configuration.overload;
  if (!enabled) return;
  const { eventLoopDelayMs, memoryPercent, memoryLimitBytes } = processLimits;
  const ofProcess = processSignals({ eventLoopDelayMs, memoryPercent, memoryLimitBytes });
  closers.add('load signals', () => ofProcess.close());
  const queues: LoadSignal[] = [];
  if (maxRequestsInProgress > 0)
    queues.push({ name: 'requests_in_progress', read: () => http.inFlight, limit: maxRequestsInProgress, instant: true });
  if (maxLedgerQueue > 0) queues.push({ name: 'ledger_queue', read: () => ledger.queued, limit: maxLedgerQueue });
  const detector = createOverloadDetector({ clock, random, signals: [...ofProcess.signals, ...queues] });
  closers.add('overload detector', () => detector.close());
  http.shedBy(detector);
  show(detector, options);
}

function show(detector: OverloadDetector, { health, metrics }: OverloadOptions): void {
  health.watch('load', () =>
    detector.reason === undefined
      ? { status: 'healthy', message: 'every request is let in' }
      : { status: 'degraded', message: `too much to do (${detector.reason}): a part of the requests is refused` },
  );
  metrics?.addGauge(serverMetrics.shedShare, () => detector.share);
  metrics?.addGauges(serverMetrics.loadRatio, () => detector.status().map(({ name, value, limit }) => [name, value / limit]));
}

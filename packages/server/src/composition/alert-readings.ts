import { statfs } from 'node:fs/promises';
import type { AlertReader, AlertSample } from '@holdfast/kit/alerts';
import type { HealthRegistry } from '@holdfast/kit/health';
import { processSignals } from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';
import type { AlertMetricName, Configuration } from '../config/index.ts';
import { createDatabaseReadings, keptReading } from '../features/alerts/index.ts';
import type { BreakerService } from '../features/breakers/index.ts';
import type { CallLedger, LedgerSpill } from '../features/costs/index.ts';
import { createMinuteStore } from '../features/performance/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import { readCertificateExpiry } from '../platform/tls/index.ts';
import { openAlertWindows } from './alert-windows.ts';
import { takeUpWindows } from './take-up-windows.ts';
import type { Closers } from './closers.ts';

export interface AlertReadingsOptions {
  readonly configuration: Configuration;
  /** Those that are in force: a reload changes them. */
  readonly providers: () => Configuration['providers'];
  readonly clock: Clock;
  readonly closers: Closers;
  readonly database: Database;
  /** Whether no other instance can use this database. */
  readonly alone: boolean;
  readonly health: Pick<HealthRegistry, 'observe'>;
  readonly breakers: Pick<BreakerService, 'list'>;
  readonly ledger: Pick<CallLedger, 'available' | 'queued'> & { readonly spill: Pick<LedgerSpill, 'bytes' | 'maxBytes'> | undefined };
  readonly isKnownModel: (name: string) => boolean;
}

type Reading = (windowMs: number) => readonly AlertSample[] | Promise<readonly AlertSample[]>;

const one = (value: number): readonly AlertSample[] => [{ labels: {}, value }];
const certificatesEveryMs = 43_200_000;
const dayMs = 86_400_000;

/** Where each metric of the rules comes from. */
export function openAlertReadings(options: AlertReadingsOptions): AlertReader {
  const { configuration, clock, closers, database, health, breakers, ledger, isKnownModel } = options;
  const windows = openAlertWindows({ clock, isKnownModel });
  closers.add('alert windows', () => windows.close());
  // Not waited for: the first look is half a minute away, and a start needs none of it.
  void takeUpWindows({ windows, store: createMinuteStore(database, ''), clock, alone: options.alone });
  // Against all that there is, for the ratio: the limits of overload are those of requests.
  const ofProcess = processSignals({ eventLoopDelayMs: 1, memoryPercent: 100, memoryLimitBytes: configuration.overload.memoryLimitBytes });
  closers.add('alert signals', () => ofProcess.close());
  const signal = (name: string): number => {
    const found = ofProcess.signals.find((each) => each.name === name);
    return found === undefined ? 0 : found.read() / found.limit;
  };
  const certificates = keptReading(clock, certificatesEveryMs, () => readCertificates(options.providers(), clock));
  const { close: _close, takeUp: _takeUp, ...ofWindows } = windows;
  const readings: Readonly<Record<AlertMetricName, Reading>> = {
    ...ofWindows,
    ...createDatabaseReadings({ database, clock }),
    breaker_open: () =>
      breakers
        .list()
        .filter(({ name, kind, status }) => kind === 'model' && status.state !== 'closed' && isKnownModel(name))
        .map(({ name }) => ({ labels: { breaker: name }, value: 1 })),
    dependency_down: () => health.observe().map(({ name, failing }) => ({ labels: { dependency: name }, value: failing ? 1 : 0 })),
    ledger_unavailable: () => one(ledger.available ? 0 : 1),
    ledger_queue: () => one(ledger.queued),
    spill_used_ratio: () => (ledger.spill ? one(ledger.spill.bytes / ledger.spill.maxBytes) : []),
    event_loop_delay_seconds: () => one(signal('event_loop_delay') / 1_000),
    memory_used_ratio: () => one(signal('memory')),
    heap_used_ratio: () => one(signal('heap')),
    disk_used_ratio: () => readDisk(configuration.server.dataDir),
    certificate_expiry_days: () => certificates(),
  };
  return (metric, windowMs) => readings[metric as AlertMetricName](windowMs);
}

/** Of what may be used without being root. No data folder, no disk: with a database of one's own there may be none. */
async function readDisk(dataDir: string): Promise<readonly AlertSample[]> {
  const found = await statfs(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return [];
  const used = found.blocks - found.bfree;
  return [{ labels: { disk: 'data' }, value: used / Math.max(1, used + found.bavail) }];
}

/** A server that cannot be reached says nothing of its certificate: that it is away is the breaker's to tell. */
async function readCertificates(providers: Configuration['providers'], clock: Clock): Promise<readonly AlertSample[]> {
  const origins = new Set(providers.flatMap((provider) => (provider.kind === 'sandbox' ? [] : [new URL(provider.baseUrl).origin])));
  const read = [...origins]
    .filter((origin) => origin.startsWith('https:'))
    .map(async (origin) => ({
      labels: { host: new URL(origin).host },
      value: ((await readCertificateExpiry({ origin, clock })) - clock.now()) / dayMs,
    }));
  return (await Promise.allSettled(read)).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

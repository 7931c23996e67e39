import { dirname } from 'node:path';
import type { HealthRegistry } from '@holdfast/kit/health';
import { processSignalDefaults, processSignals } from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import type { Reloadable } from '../features/configuration/index.ts';
import { spillRefusing, type CallLedger } from '../features/costs/index.ts';
import { createDiskCheck, createLoadCheck, createProviderHealth } from '../features/health/index.ts';
import type { ServedModels } from '../model/index.ts';
import type { Closers } from './closers.ts';
import { checkSpill, spillFolderOf } from './spill.ts';

export interface HealthChecksOptions {
  readonly configuration: Configuration;
  readonly health: HealthRegistry;
  readonly models: ServedModels;
  readonly ledger: Pick<CallLedger, 'available' | 'queued' | 'spill'>;
  readonly clock: Clock;
  readonly closers: Closers;
}

/** How often the process looks at itself: a number in memory, or one question to the operating system. */
const loadIntervalMs = 5_000;
const diskIntervalMs = 30_000;
const spillRetryMs = 1_000;

/** What is looked at beside the database and Redis, which report for themselves. Of it only a spill that takes no more, while the database is away, makes the server unready. */
export function openHealthChecks(options: HealthChecksOptions): { readonly reload: Reloadable<Configuration> } {
  const { configuration, health, models, ledger, clock, closers } = options;
  const { diskFreeBytes } = configuration.health;
  const { eventLoopDelayMs, memoryPercent, memoryLimitBytes, maxLedgerQueue } = configuration.overload;

  const folders = foldersOf(configuration);
  if (diskFreeBytes > 0 && folders.length > 0) {
    const check = createDiskCheck({ folders, minFreeBytes: diskFreeBytes });
    health.register('disk', { critical: false, componentType: 'system', intervalMs: diskIntervalMs, retryMs: loadIntervalMs, check });
  }

  // Where no request is refused for its load it is looked at all the same.
  const load = processSignals({
    eventLoopDelayMs: eventLoopDelayMs || processSignalDefaults.eventLoopDelayMs,
    memoryPercent: memoryPercent || processSignalDefaults.memoryPercent,
    memoryLimitBytes,
  });
  closers.add('load of the process', () => load.close());
  for (const signal of load.signals) {
    const check = createLoadCheck(signal);
    const name = signal.name === 'event_loop_delay' ? 'event_loop' : signal.name;
    health.register(name, { critical: false, componentType: 'system', intervalMs: loadIntervalMs, retryMs: loadIntervalMs, check });
  }

  health.watch('ledger', () => {
    if (!ledger.available) return { status: 'degraded', message: 'calls cannot be recorded, and are refused' };
    const queued = { name: 'queue', value: ledger.queued, unit: 'rows' };
    return maxLedgerQueue > 0 && ledger.queued > maxLedgerQueue / 2
      ? { status: 'degraded', message: 'many rows wait to be committed', measurement: queued }
      : { status: 'healthy', message: 'records calls', measurement: queued };
  });

  const { spill } = ledger;
  if (spill) {
    const check = async () => checkSpill(ledger, spill);
    health.register('spill', { critical: true, componentType: 'system', intervalMs: loadIntervalMs, retryMs: spillRetryMs, check });
    closers.add(
      'health of the spill',
      spillRefusing.subscribe(() => health.markFailed('spill')),
    );
  }

  let names = configuration.providers.map(({ name }) => name);
  const providers = createProviderHealth({
    providers: () => names,
    breakers: () => models.current.catalog.breakers().map((breaker) => breaker.status()),
    clock,
  });
  closers.add('health of providers', () => providers.close());
  health.watchAll(() => providers.members());
  return {
    reload: {
      prepare: (next) => ({
        commit() {
          names = next.providers.map(({ name }) => name);
        },
        discard() {},
      }),
    },
  };
}

/** Where the server writes: with a database of its own in its data folder, which without one need not be there. */
export function foldersOf(configuration: Configuration): readonly string[] {
  const { server, database, log, spill } = configuration;
  return [
    ...(database.url === undefined ? [server.dataDir] : []),
    ...(spill.dir === undefined || spillFolderOf(configuration) === undefined ? [] : [spill.dir]),
    ...(log.file === undefined ? [] : [dirname(log.file)]),
  ];
}

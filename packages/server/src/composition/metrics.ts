import type { HealthRegistry } from '@holdfast/kit/health';
import type { Metrics } from '@holdfast/kit/telemetry';
import type { Configuration } from '../config/index.ts';
import { callsRecovered, ledgerCommitted } from '../features/costs/index.ts';

import { keyRefused } from '../features/identity/index.ts';
import { connectionLost, databaseQueryCompleted, poolExhausted, type Database } from '../platform/postgres/index.ts';
import { redisCommandCompleted, redisStateChanged, type RedisConnection } from '../platform/redis/index.ts';
import { dependencyCircuits } from './breakers.ts';
import type { Closers } from './closers.ts';
import { createDiskGauge } from './disk-gauge.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface ServerMetricsOptions {
  readonly configuration: Configuration;
  readonly metrics: Metrics | undefined;
  readonly database: Pick<Database, 'poolStates'>;
  readonly redis: RedisConnection | undefined;
  readonly health: HealthRegistry;
  readonly version: string;
  readonly closers: Closers;
}

/** What the server's own parts announce and show, as metrics. Those of parts that are opened later are added there. */
export function openMetrics({ configuration, metrics, database, redis, health, version, closers }: ServerMetricsOptions): void {
  if (!metrics) return;
  const stops = [measureDatabase(metrics, database), measureLedger(metrics), measureKeys(metrics), measureRedis(metrics, redis)];
  metrics.addGauges(serverMetrics.dependencyUp, () =>
    dependencyCircuits(health).map(({ name, status }) => [name, status.state === 'closed' ? 1 : 0] as const),
  );
  const disk = createDiskGauge(configuration.server.dataDir);
  metrics.addGauge(serverMetrics.diskSize, () => disk.read()?.size);
  metrics.addGauge(serverMetrics.diskFree, () => disk.read()?.free);
  metrics.addGauges(serverMetrics.build, () => [[version, 1]]);
  closers.add('metrics', () => {
    for (const stop of stops) stop();
  });
}

function measureDatabase(metrics: Metrics, database: Pick<Database, 'poolStates'>): () => void {
  const queries = metrics.addCounter(serverMetrics.databaseQueries);
  const durations = metrics.addHistogram(serverMetrics.databaseDuration);
  const exhausted = metrics.addCounter(serverMetrics.poolExhausted);
  const lost = metrics.addCounter(serverMetrics.connectionsLost);
  metrics.addGauges(serverMetrics.poolConnections, () =>
    database.poolStates().flatMap(({ role, open, idle }) => [[[role, 'idle'], idle] as const, [[role, 'busy'], open - idle] as const]),
  );
  metrics.addGauges(serverMetrics.poolMaxConnections, () =>
    database.poolStates().map(({ role, maxConnections }) => [role, maxConnections]),
  );
  metrics.addGauges(serverMetrics.poolWaiting, () => database.poolStates().map(({ role, waiting }) => [role, waiting]));
  const stops = [
    databaseQueryCompleted.subscribe(({ role, operation, table = 'none', outcome, durationMs }) => {
      queries.add(1, { role, operation, table, outcome });
      durations.observe(durationMs / 1_000, { operation, table });
    }),
    poolExhausted.subscribe(({ role }) => exhausted.add(1, { role })),
    connectionLost.subscribe(({ role = 'listen' }) => lost.add(1, { role })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function measureLedger(metrics: Metrics): () => void {
  const durations = metrics.addHistogram(serverMetrics.ledgerCommitDuration);
  const writes = metrics.addCounter(serverMetrics.ledgerWrites);
  const interrupted = metrics.addCounter(serverMetrics.interruptedCalls);
  for (const kind of ['row', 'intent']) writes.add(0, { kind });
  const stops = [
    ledgerCommitted.subscribe(({ rows, intents, durationMs, outcome }) => {
      durations.observe(durationMs / 1_000, { outcome });
      if (outcome === 'failed') return;
      writes.add(rows, { kind: 'row' });
      writes.add(intents, { kind: 'intent' });
    }),
    callsRecovered.subscribe((event) => interrupted.add(event.interrupted, {})),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function measureKeys(metrics: Metrics): () => void {
  const refused = metrics.addCounter(serverMetrics.keysRefused);
  return keyRefused.subscribe(({ code }) => refused.add(1, { code }));
}

function measureRedis(metrics: Metrics, redis: RedisConnection | undefined): () => void {
  if (!redis) return () => {};
  const losses = metrics.addCounter(serverMetrics.redisLosses);
  const durations = metrics.addHistogram(serverMetrics.redisDuration);
  metrics.addGauge(serverMetrics.redisUp, () => (redis.connected ? 1 : 0));
  const stops = [
    redisStateChanged.subscribe(({ connected }) => {
      if (!connected) losses.add(1, {});
    }),
    redisCommandCompleted.subscribe(({ command, outcome, durationMs }) => durations.observe(durationMs / 1_000, { command, outcome })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

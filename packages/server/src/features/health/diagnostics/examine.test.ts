import type { HealthSnapshot } from '@holdfast/kit/health';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import type { Principal } from '../../../model/index.ts';
import type { DatabaseFacts } from '../../../platform/postgres/index.ts';
import { createDiagnostics, type DiagnosticsOptions } from './diagnostics-service.ts';
import { examineConfiguration, type ConfigurationFacts } from './examine-configuration.ts';
import { examineDatabase } from './examine-database.ts';
import { examineDependencies, examineProcess, type ProcessFacts } from './examine-process.ts';
import { findingTable, type FindingCode } from './finding-table.ts';

const sound: ConfigurationFacts = {
  listensOutside: true,
  trustedProxies: ['10.0.0.0/8'],
  corsOrigins: ['https://app.example.com'],
  drainTimeoutMs: 20_000,
  hasHealthPort: true,
  logLevel: 'info',
  metrics: { hasToken: true },
  rateLimits: { enabled: true, shadow: false },
  abuse: { enabled: true, shadow: false },
  overload: true,
  database: { isLocal: false, asksForTls: true },
  redis: { isLocal: false, asksForTls: true },
  providers: [{ name: 'openai', sandbox: false, baseUrl: 'https://api.openai.com/v1' }],
  models: [{ name: 'fast', targets: ['openai/a', 'claude/b'] }],
  targetsWithoutPrice: [],
  instances: 3,
  restartRequired: [],
};
const database: DatabaseFacts = {
  version: '18.1',
  inRecovery: false,
  roundTripMs: 0.4,
  clockSkewMs: 3,
  maxConnections: 300,
  usedConnections: 40,
  lockWaits: { waiting: 1, longestMs: 40 },
  transactions: { open: 2, longestMs: 12, longestIdleMs: 0 },
  bloated: [],
  scanned: [],
  foreignKeysWithoutIndex: [],
  invalidIndexes: [],
  standbys: [{ name: 'standby', lagMs: 20, lagBytes: 100 }],
  replicationSlots: [{ name: 'standby', active: true, retainedBytes: 5e9 }],
  transactionAge: 200_000_000,
  databaseBytes: 1e9,
  unanswered: [],
};
const process: ProcessFacts = {
  eventLoopDelayMs: 3,
  heapUsedBytes: 50,
  heapLimitBytes: 1_000,
  residentBytes: 100,
  memoryLimitBytes: 1_000,
  openFiles: 50,
  openFilesLimit: 1_024,
  disks: [{ freeBytes: 5e9, totalBytes: 1e10 }],
};
const healthy: HealthSnapshot = { status: 'healthy', at: 0, components: [] };
const dependencies = { health: healthy, ledger: { available: true, queued: 3 }, pools: [], heldOpen: [] };
const expectations = { maxConnections: 100, instances: 3 };
const codes = (findings: readonly { readonly code: FindingCode }[]) => findings.map(({ code }) => code);

const byConfiguration: readonly [FindingCode, Partial<ConfigurationFacts>][] = [
  ['trusts_every_proxy', { trustedProxies: ['10.0.0.0/8', '::/0'] }],
  ['provider_without_tls', { providers: [{ name: 'own', sandbox: false, baseUrl: 'http://10.0.0.7/v1' }] }],
  ['database_without_tls', { database: { isLocal: false, asksForTls: false } }],
  ['redis_without_tls', { redis: { isLocal: false, asksForTls: false } }],
  ['cors_any_origin', { corsOrigins: ['*'] }],
  ['metrics_open', { metrics: { hasToken: false } }],
  ['rate_limits_off', { rateLimits: { enabled: false, shadow: true } }],
  ['rate_limits_in_shadow', { rateLimits: { enabled: true, shadow: true } }],
  ['abuse_off', { abuse: { enabled: false, shadow: true } }],
  ['abuse_in_shadow', { abuse: { enabled: true, shadow: true } }],
  ['overload_off', { overload: false }],
  ['log_verbose', { logLevel: 'trace' }],
  ['drain_at_grace_period', { drainTimeoutMs: 30_000 }],
  ['probes_wait_for_calls', { hasHealthPort: false }],
  ['instances_without_redis', { redis: undefined }],
  ['sandbox_beside_providers', { providers: [...sound.providers, { name: 'sandbox', sandbox: true, baseUrl: undefined }] }],
  ['models_without_fallback', { models: [{ name: 'fast', targets: ['openai/a'] }] }],
  ['models_without_price', { targetsWithoutPrice: ['openai/new'] }],
  ['restart_waits', { restartRequired: ['server.port'] }],
];
const byDatabase: readonly [FindingCode, Partial<DatabaseFacts>][] = [
  ['database_slow', { roundTripMs: 21 }],
  ['clock_skew', { clockSkewMs: -1_002 }],
  ['database_connections_short', { usedConnections: 271 }],
  ['database_ceiling_too_high', { maxConnections: 299 }],
  ['database_locks', { lockWaits: { waiting: 3, longestMs: 2_001 } }],
  ['database_long_transaction', { transactions: { open: 1, longestMs: 1, longestIdleMs: 60_001 } }],
  ['database_bloat', { bloated: [{ table: 'holdfast.calls', live: 1, dead: 20_000 }] }],
  ['database_sequential_scans', { scanned: [{ table: 'x.y', live: 1e6, scans: 5_000 }] }],
  ['database_foreign_keys_without_index', { foreignKeysWithoutIndex: [{ table: 'x.y', constraint: 'y_fk' }] }],
  ['database_invalid_index', { invalidIndexes: ['x.y_index'] }],
  ['database_replication_lag', { standbys: [{ name: 's', lagMs: 10_001, lagBytes: null }] }],
  ['database_slot_retains_wal', { replicationSlots: [{ name: 's', active: false, retainedBytes: 2e9 }] }],
  ['database_wraparound_near', { transactionAge: 1_100_000_000 }],
  ['database_partly_seen', { bloated: undefined, unanswered: [{ question: 'bloat', reason: 'not allowed' }] }],
];
const byProcess: readonly [FindingCode, Partial<ProcessFacts>][] = [
  ['disk_short', { disks: [{ freeBytes: 1, totalBytes: 1e10 }] }],
  ['file_descriptors_short', { openFiles: 900 }],
  ['event_loop_late', { eventLoopDelayMs: 101 }],
  ['heap_short', { heapUsedBytes: 901 }],
  ['memory_short', { residentBytes: 901 }],
];
const unwell = {
  name: 'redis',
  status: 'degraded',
  message: 'fails',
  responseTimeMs: null,
  componentType: 'datastore',
  checkedAt: 0,
  measurement: undefined,
} as const;
const byDependencies: readonly [FindingCode, Partial<Parameters<typeof examineDependencies>[0]>][] = [
  ['ledger_unavailable', { ledger: { available: false, queued: 0 } }],
  ['ledger_queue_long', { ledger: { available: true, queued: 1_025 } }],
  ['pool_exhausted', { pools: [{ role: 'app', maxConnections: 8, waiting: 1 }] }],
  ['dependency_unwell', { health: { ...healthy, components: [unwell] } }],
  ['breaker_held_open', { heldOpen: ['openai/a'] }],
];

test('where all is well nothing is found', () => {
  expect(codes(examineConfiguration(sound))).toEqual([]);
  expect(codes(examineDatabase(database, expectations))).toEqual([]);
  expect(codes(examineProcess(process, 1e9))).toEqual([]);
  expect(codes(examineDependencies(dependencies))).toEqual([]);
});

test('each fault is found by itself, and nothing else with it', () => {
  for (const [code, facts] of byConfiguration) expect(codes(examineConfiguration({ ...sound, ...facts }))).toEqual([code]);
  for (const [code, facts] of byDatabase) expect(codes(examineDatabase({ ...database, ...facts }, expectations))).toEqual([code]);
  for (const [code, facts] of byProcess) expect(codes(examineProcess({ ...process, ...facts }, 1e9))).toEqual([code]);
  for (const [code, facts] of byDependencies) expect(codes(examineDependencies({ ...dependencies, ...facts }))).toEqual([code]);
});

test('every finding of the table is one that something finds', () => {
  const tested = [...byConfiguration, ...byDatabase, ...byProcess, ...byDependencies].map(([code]) => code);
  expect([...tested, 'database_unreachable', 'provider_call_failed'].toSorted()).toEqual(Object.keys(findingTable).toSorted());
});

test('on one machine alone, what is open there is open to nobody', () => {
  const alone = { listensOutside: false, metrics: { hasToken: false }, hasHealthPort: false, drainTimeoutMs: 30_000 };
  const local = { isLocal: true, asksForTls: false };
  const providers = [{ name: 'ollama', sandbox: false, baseUrl: 'http://127.0.0.1:11434/v1' }];
  expect(codes(examineConfiguration({ ...sound, ...alone, database: local, redis: local, providers }))).toEqual([]);
});

test('half a round trip is not taken for skew', () => {
  expect(codes(examineDatabase({ ...database, clockSkewMs: 2_400, roundTripMs: 3_000 }, expectations))).toEqual(['database_slow']);
});

const principal = {} as Principal;

test('a database that does not answer is the first finding, and the rest is examined all the same', async () => {
  const diagnostics = createDiagnostics(
    options({
      database: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7')),
      countInstances: () => Promise.reject(new Error('x')),
      configuration: () => ({ ...sound, logLevel: 'debug' }),
    }),
  );
  const found = await diagnostics.run({ callProviders: false, principal, requestId: 'r' });
  expect([found.status, codes(found.findings), found.database]).toEqual(['unhealthy', ['database_unreachable', 'log_verbose'], undefined]);
  expect(JSON.stringify(found)).not.toContain('10.0.0.7');
});

test('who asks while it runs gets the same answer, and providers are called for those alone who ask for it', async () => {
  let asked = 0;
  let called = 0;
  const diagnostics = createDiagnostics(
    options({
      database: async () => (asked++, database),
      callProviders: async () => {
        called++;
        return [
          {
            provider: 'openai',
            target: 'openai/a',
            answered: false,
            errorCode: 'provider_auth_failed',
            latencyMs: 9,
            promptTokens: 0,
            completionTokens: 0,
            costNanoUsd: null,
          },
        ];
      },
    }),
  );
  const run = (callProviders: boolean) => diagnostics.run({ callProviders, principal, requestId: 'r' });
  const [plain, paid] = await Promise.all([run(false), run(true)]);
  expect([asked, called, plain.providers, plain.status]).toEqual([1, 1, undefined, 'healthy']);
  expect([codes(paid.findings), paid.status]).toEqual([['provider_call_failed'], 'unhealthy']);
  await run(false);
  expect(asked).toBe(2);
});

function options(more: Partial<DiagnosticsOptions>): DiagnosticsOptions {
  return {
    clock: createFakeClock(),
    configuration: () => sound,
    database: async () => database,
    countInstances: async () => 3,
    maxConnections: 100,
    process: async () => process,
    minFreeBytes: 1e9,
    dependencies: () => dependencies,
    callProviders: async () => [],
    ...more,
  };
}

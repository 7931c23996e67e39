import { processSignals } from '@holdfast/kit/resilience';
import type { HealthRegistry } from '@holdfast/kit/health';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import type { Configuration } from '../config/index.ts';
import { initiatorOf } from '../entry/http/index.ts';
import type { ConfigurationService, Reloadable } from '../features/configuration/index.ts';
import { countLiveInstances } from '../features/costs/index.ts';
import {
  createDiagnostics,
  createProviderCaller,
  diagnosticRoutes,
  isLocalHost,
  readDisks,
  readOpenFiles,
  type ConfigurationFacts,
  type RemoteFacts,
} from '../features/health/index.ts';
import type { CallNext, ServedModels } from '../model/index.ts';
import type { AuditTrail } from '../platform/audit/index.ts';
import { inspectDatabase, type Database, type DatabaseTarget } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { instance } from './configuration.ts';
import { foldersOf } from './health-checks.ts';

export interface OpenDiagnosticsOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly closers: Closers;
  readonly createId: () => string;
  readonly database: Database;
  readonly target: DatabaseTarget;
  readonly health: HealthRegistry;
  readonly models: ServedModels;
  readonly ledger: { readonly available: boolean; readonly queued: number };
  readonly pipeline: CallNext;
  readonly audit: AuditTrail;
  readonly reloads: () => Pick<ConfigurationService, 'state'>;
}

export interface OpenedDiagnostics {
  readonly routes: FastifyPluginAsync;
  readonly reload: Reloadable<Configuration>;
}

/** `/api/health/diagnostics`: what is looked at, and where it is found. */
export function openDiagnostics(options: OpenDiagnosticsOptions): OpenedDiagnostics {
  const { clock, closers, createId, database, target, health, models, ledger, pipeline, reloads } = options;
  let current = options.configuration;
  // Never 0 here: whoever asks what is wrong wants to see what is not looked at otherwise.
  const load = processSignals({ eventLoopDelayMs: 1, memoryPercent: 100, memoryLimitBytes: current.overload.memoryLimitBytes });
  closers.add('load for diagnostics', () => load.close());
  const signal = (name: string) => load.signals.find((each) => each.name === name)!;
  const [loop, heap, memory] = [signal('event_loop_delay'), signal('heap'), signal('memory')];
  const callProviders = createProviderCaller({ pipeline, clock, createId });

  const diagnostics = createDiagnostics({
    clock,
    configuration: (instances) => factsOf(current, models, clock, reloads().state.restartRequired, instances),
    database: () => inspectDatabase({ target, clock }),
    countInstances: () => countLiveInstances(database),
    maxConnections: current.database.maxConnections,
    process: async () => ({
      eventLoopDelayMs: loop.read(),
      heapUsedBytes: heap.read(),
      heapLimitBytes: heap.limit,
      residentBytes: memory.read(),
      memoryLimitBytes: memory.limit,
      ...(await readOpenFiles()),
      disks: await readDisks(foldersOf(current)),
    }),
    minFreeBytes: current.health.diskFreeBytes,
    dependencies: () => ({
      health: health.snapshot(),
      ledger,
      pools: database.poolStates(),
      heldOpen: models.current.catalog
        .breakers()
        .filter((breaker) => breaker.state === 'open' && breaker.status().byHand)
        .map(({ name }) => name),
    }),
    callProviders: (principal, requestId) => callProviders(firstTargets(current), principal, requestId),
  });
  return {
    routes: diagnosticRoutes({ diagnostics, instance, principalOf: (request) => request.principal!, audit: options.audit, initiatorOf }),
    reload: {
      prepare: (next) => ({
        commit() {
          // What a reload does not put in force stays as it was at the start.
          current = { ...current, providers: next.providers, models: next.models, prices: next.prices, rateLimits: next.rateLimits };
        },
        discard() {},
      }),
    },
  };
}

function factsOf(
  configuration: Configuration,
  models: ServedModels,
  clock: Clock,
  restartRequired: readonly string[],
  instances: number | undefined,
): ConfigurationFacts {
  const { server, cors, log, metrics, abuse, overload, rateLimits, database, redis, health } = configuration;
  const kinds = new Map(configuration.providers.map(({ name, kind }) => [name, kind]));
  const targets = new Set(configuration.models.flatMap((model) => model.targets.map(({ provider, model: name }) => `${provider}/${name}`)));
  return {
    listensOutside: !isLocalHost(server.host),
    trustedProxies: server.trustedProxies,
    corsOrigins: cors.origins,
    drainTimeoutMs: server.drainTimeoutMs,
    hasHealthPort: health.port !== undefined,
    logLevel: log.level,
    metrics: metrics.enabled ? { hasToken: metrics.token !== undefined } : undefined,
    rateLimits,
    abuse,
    overload: overload.enabled,
    database: database.url && remoteDatabase(new URL(database.url.reveal())),
    redis: redis.url && remoteRedis(new URL(redis.url.reveal())),
    providers: configuration.providers.map((provider) => ({
      name: provider.name,
      sandbox: provider.kind === 'sandbox',
      baseUrl: provider.kind === 'sandbox' ? undefined : provider.baseUrl,
    })),
    models: configuration.models.map(({ name, targets: own }) => ({
      name,
      targets: own.map(({ provider, model }) => `${provider}/${model}`),
    })),
    targetsWithoutPrice: [...targets].filter((name) => {
      const slash = name.indexOf('/');
      const kind = kinds.get(name.slice(0, slash));
      if (kind === undefined || kind === 'sandbox') return false;
      const usage = {
        promptTokens: 1,
        completionTokens: 1,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
        source: 'estimated',
      } as const;
      return (
        models.current.pricing.costNanoUsd({
          providerKind: kind,
          model: name.slice(slash + 1),
          servedModel: undefined,
          usage,
          at: clock.now(),
        }) === null
      );
    }),
    instances,
    restartRequired,
  };
}

function remoteDatabase(url: URL): RemoteFacts {
  const host = url.searchParams.get('host') ?? url.hostname;
  const mode = url.searchParams.get('sslmode') ?? '';
  return {
    isLocal: isLocalHost(host),
    asksForTls: ['require', 'verify-ca', 'verify-full'].includes(mode) || url.searchParams.get('ssl') === 'true',
  };
}

function remoteRedis(url: URL): RemoteFacts {
  return { isLocal: isLocalHost(url.hostname), asksForTls: url.protocol === 'rediss:' };
}

/** One target of each provider that some model leads to; a provider that none does is called by nobody. */
function firstTargets({ models }: Configuration): { provider: string; target: string }[] {
  const first = new Map<string, string>();
  for (const { targets } of models)
    for (const { provider, model } of targets) if (!first.has(provider)) first.set(provider, `${provider}/${model}`);
  return [...first].map(([provider, target]) => ({ provider, target }));
}

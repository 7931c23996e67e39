import { httpErrorRaised } from '@holdfast/kit/events';
import { createHealthRegistry } from '@holdfast/kit/health';
import type { Metrics } from '@holdfast/kit/telemetry';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import {
  Closers,
  instance,
  measureConfiguration,
  type ClientNames,
  type ErrorReports,
  openAbuse,
  openAuditLog,
  openAlerts,
  openAudit,
  openBudgets,
  openAuditAccess,
  openConfiguration,
  dependencyCircuits,
  measureBreakers,
  openBreakerStore,
  openDiagnostics,
  openEndpointTests,
  openHealthChecks,
  openCosts,
  openHealthPort,
  openIdentity,
  openLedger,
  openLimiter,
  openMetrics,
  openModels,
  openOverload,
  openPerformance,
  openRateLimitRoutes,
  openRateLimits,
  openRedis,
  openRefusals,
  openRequestLog,
  openStorage,
  measureSpill,
  serverMetrics,
  spillFolderOf,
} from './composition/index.ts';
import type { Configuration, ConfigurationSource } from './config/index.ts';
import { addMetricsRoute, createHttpServer, initiatorOf, type BeginTrace } from './entry/http/index.ts';
import { banRoutes, createBanIds } from './features/abuse/index.ts';
import { configurationRoutes, type ConfigurationService, type Reloadable } from './features/configuration/index.ts';
import { breakerRoutes, createBreakerService } from './features/breakers/index.ts';
import { budgetRoutes, countLiveInstances, createUsageService, usageRoutes } from './features/costs/index.ts';
import { createBudgetService } from './features/costs/budgets/index.ts';
import { gatewayRoutes } from './features/gateway/index.ts';
import { healthRoutes } from './features/health/index.ts';
import { logLevelRoutes, type LogLevelControl } from './features/logging/index.ts';
import { keyRoutes, organizationRoutes } from './features/identity/index.ts';
import { createPipeline } from './model/index.ts';
import { systemItself } from './platform/audit/index.ts';

export interface AppOptions {
  readonly source: ConfigurationSource;
  /** Parts outside of the app that take a new configuration with it. */
  readonly reloadables: readonly Reloadable<Configuration>[];
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  /** `XDG_RUNTIME_DIR`, if there is one. */
  readonly runtimeDir: string | undefined;
  readonly metrics: Metrics | undefined;
  /** What is written down of clients; opened here, with the master key. */
  readonly clientNames: ClientNames;
  /** What is logged, for operators to change; without it they cannot. */
  readonly logLevel?: LogLevelControl;
  /** Whether a name of a model is one of the configuration, and so one of few. */
  readonly isKnownModel: (name: string) => boolean;
  /** Undefined while there is nowhere to report to. */
  readonly errorReports: Pick<ErrorReports, 'open'> | undefined;
  /** Undefined while tracing is off. */
  readonly beginTrace: BeginTrace | undefined;
  /** Throws when the start has been told to end. */
  readonly endIfTold: () => void;
  /** Something without which the server cannot go on has ended. */
  readonly onFatal: (reason: string, error: unknown) => void;
  /** Something failed to close; the stop goes on. */
  readonly onCloseFailure: (part: string, error: unknown) => void;
}

export interface App {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** Where the thread of the probes answers, if there is one. */
  readonly healthUrl: string | undefined;
  /** The operator's key, on the first start only. */
  readonly operatorKey: string | undefined;
  readonly configuration: Pick<ConfigurationService, 'reload' | 'state'>;
  /** Requests whose answers are not out yet. */
  readonly inFlight: number;
  /** Lets calls end, up to the bound of the configuration, then closes everything in the reverse order of its opening. */
  stop(): Promise<{ readonly cut: number }>;
}

/** Puts the server together. What fails to open closes what was opened before it. */
export async function startApp(options: AppOptions): Promise<App> {
  const closers = new Closers();
  try {
    return await openApp(options, closers);
  } catch (error) {
    await closers.closeAll(options.onCloseFailure);
    throw error;
  }
}

async function openApp(options: AppOptions, closers: Closers): Promise<App> {
  const { source, version, clock, random } = options;
  const configuration = source.atStart;
  const createId = createUuidV7(clock, random);
  const common = { configuration, clock, random, closers };

  const health = createHealthRegistry({ clock, random, intervalMs: configuration.health.checkIntervalSeconds * 1_000 });
  const started = health.hold('starting');
  const healthPort = await openHealthPort({ ...common, health, version });

  let databaseEnded = false;
  const storage = await openStorage({
    ...common,
    runtimeDir: options.runtimeDir,
    onDatabaseExit(exit) {
      databaseEnded = true;
      options.onFatal('the embedded database ended', exit);
    },
  });
  const { database, keyRing } = storage;
  options.clientNames.open(keyRing);
  const audit = openAudit({ ...common, ...storage });
  const { references, trail } = audit;
  options.errorReports?.open(keyRing);
  options.endIfTold();

  // With a disk to go on with, calls are served without it.
  const critical = spillFolderOf(configuration) === undefined;
  health.register('database', { critical, componentType: 'datastore', check: (signal) => database.ping(signal) });
  // A check must not outlive what it asks.
  closers.add('health checks', () => health.close());
  // What real calls see counts at once; the next check sets it right again.
  closers.add(
    'health listener',
    httpErrorRaised.subscribe(({ category }) => {
      if (category === 'database') health.markFailed('database');
    }),
  );

  const redis = await openRedis({ ...common, health });

  const { metrics } = options;
  openMetrics({ ...common, database, redis, health, metrics, version });
  openAuditLog({ ...common, ...storage, health, metrics });
  const limiter = await openLimiter({ ...common, redis, health, metrics, countInstances: () => countLiveInstances(database) });
  const limits = openRateLimits(configuration, limiter);

  // From here on a start goes through: it makes the operator's key, which is shown once, at the end of it.
  options.endIfTold();
  const identity = await openIdentity({ ...common, ...storage, audit: trail, tierNames: limits.tierNames });
  const breakerStore = openBreakerStore({ ...common, redis });
  const models = openModels({ ...common, breakerStore, onCloseFailure: options.onCloseFailure });
  const breakers = createBreakerService({
    models: {
      breakers: () => models.served.current.catalog.breakers(),
      find: (name) => models.served.current.catalog.findBreaker(name),
    },
    dependencies: () => dependencyCircuits(health),
    isShared: () => redis?.connected ?? false,
    audit: trail,
  });
  const ledger = await openLedger({
    ...common,
    ...storage,
    references,
    mayComeBack: () => !databaseEnded,
    onAway: () => health.markFailed('database'),
  });
  audit.commitWith(ledger);
  const refusals = openRefusals({ ...common, ...storage, audit: trail });
  const costs = await openCosts({ ...common, ...storage, models: models.served });
  const checks = openHealthChecks({ ...common, health, models: models.served, ledger });
  const budgets = await openBudgets({ ...common, ...storage, ledger, metrics });
  const pipeline = createPipeline({ models: models.served, limits: limits.calls, budgets, ledger, audit: refusals.calls, clock });
  const abuse = await openAbuse({ ...common, ...storage, audit: trail, identity, metrics });

  const requestLog = openRequestLog({ ...common, ...storage, metrics, audit: trail });

  const http = await createHttpServer({
    clock,
    limits: limits.requests,
    beginTrace: options.beginTrace,
    createId,
    ...abuse.door,
    onRefusal(refusal) {
      abuse.door.onRefusal?.(refusal);
      refusals.onRefusal(refusal);
    },
    recorder: requestLog?.recorder,
    nameClient: (client) => options.clientNames.ofClient(client),
    authenticate: (secret) => identity.authenticate(secret),
    version,
    maxBodyBytes: configuration.limits.maxBodyBytes,
    maxDepth: configuration.limits.maxBodyDepth,
    corsOrigins: configuration.cors.origins,
    headersTimeoutMs: configuration.server.headersTimeoutMs,
    requestTimeoutMs: configuration.server.requestTimeoutMs,
  });
  openOverload({ ...common, http, ledger, health, metrics });
  const performance = openPerformance({ ...common, ...storage, http, isKnownModel: options.isKnownModel });
  http.addGateway(
    gatewayRoutes({
      pipeline,
      listModels: () => models.served.current.catalog.list(),
      clock,
      createId,
      maxDepth: configuration.limits.maxBodyDepth,
    }),
  );
  await http.app.register(keyRoutes({ service: identity.keys, principalOf: (request) => request.principal!, initiatorOf }));
  await http.app.register(budgetRoutes({ service: createBudgetService({ database, audit: trail, createId, clock }), initiatorOf }));
  await http.app.register(organizationRoutes({ service: identity.organizations, initiatorOf }));
  await http.app.register(
    banRoutes({
      bans: abuse.bans,
      ids: createBanIds(keyRing),
      principalOf: (request) => request.principal!,
      clientOf: (request) => request.client,
      initiatorOf,
    }),
  );
  await http.app.register(
    openRateLimitRoutes({
      limits: limits.requests,
      callLimits: limits.calls,
      limiter,
      organizations: identity.organizations,
      clock,
      ipv6PrefixLength: configuration.server.ipv6PrefixLength,
    }),
  );
  await http.app.register(usageRoutes(createUsageService(database)));
  await http.app.register(costs.routes);
  const diagnostics = openDiagnostics({
    ...common,
    ...storage,
    createId,
    health,
    models: models.served,
    ledger,
    pipeline,
    audit: trail,
    reloads: () => reloads,
  });
  await http.app.register(diagnostics.routes);
  await http.app.register(await openEndpointTests({ ...common, ...storage, audit: trail, keys: identity.keys, url: () => urlOf(address) }));
  const alerts = await openAlerts({
    ...{ ...common, ...storage, health, breakers, ledger, metrics, isKnownModel: options.isKnownModel },
    principalOf: (request) => request.principal!,
    audit: trail,
  });
  const reloads = openConfiguration({
    ...common,
    ...storage,
    audit: trail,
    source,
    parts: [models.reload, costs.reload, limits.reload, checks.reload, diagnostics.reload, alerts.reload, ...options.reloadables],
  });
  await http.app.register(configurationRoutes({ service: reloads, instance, initiatorOf }));
  await http.app.register(breakerRoutes({ service: breakers, clock, principalOf: (request) => request.principal!, initiatorOf }));
  await http.app.register(healthRoutes({ registry: health, clock, version }));
  const auditAccess = openAuditAccess({ ...common, database, metrics, audit, initiatorOf, principalOf: (request) => request.principal! });
  await http.app.register(auditAccess.routes);
  if (options.logLevel)
    await http.app.register(
      logLevelRoutes({ control: options.logLevel, audit: trail, principalOf: (request) => request.principal!, initiatorOf }),
    );
  await http.app.register(audit.routes);
  if (requestLog) await http.app.register(requestLog.routes);
  if (performance) await http.app.register(performance.routes);
  await http.app.register(alerts.routes);
  if (metrics) {
    addMetricsRoute(http.app as never, { metrics, token: configuration.metrics.token?.reveal() });
    closers.add('configuration metrics', measureConfiguration(metrics, reloads));
    metrics.addGauge(serverMetrics.openConnections, () => http.openConnections);
    metrics.addGauge(serverMetrics.requestsInProgress, () => http.inFlight);
    metrics.addGauge(serverMetrics.ledgerAvailable, () => (ledger.available ? 1 : 0));
    metrics.addGauge(serverMetrics.ledgerQueue, () => ledger.queued);
    if (ledger.spill) closers.add('spill metrics', measureSpill(metrics, ledger.spill));
    measureBreakers(metrics, breakers, (name) => models.served.current.catalog.isConfigured(name));
  }

  const address = await http.listen({ host: configuration.server.host, port: configuration.server.port });
  started();
  const ofServer = { organizationId: null, by: systemItself, resource: { type: 'instance', id: `${instance.host}:${instance.pid}` } };
  await trail.record({ type: 'server.started', ...ofServer, details: { version, digest: reloads.state.digest } });
  let stopping: Promise<{ cut: number }> | undefined;
  return {
    url: urlOf(address),
    healthUrl: healthPort && urlOf(healthPort),
    operatorKey: identity.operatorKey,
    configuration: reloads,
    get inFlight() {
      return http.inFlight;
    },
    stop: () =>
      (stopping ??= (async () => {
        health.hold('stopping');
        // Not waited for: a reload that is running must not keep clients waiting.
        void reloads.close();
        const { cut } = await http.drain({ timeoutMs: configuration.server.drainTimeoutMs });
        await trail.record({ type: 'server.stopped', ...ofServer, details: { cut } });
        await closers.closeAll(options.onCloseFailure);
        return { cut };
      })()),
  };
}

/** An address that can be called: one that listens everywhere is called by its own name. */
function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

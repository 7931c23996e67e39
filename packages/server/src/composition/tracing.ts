import { hostname } from 'node:os';
import process from 'node:process';
import { createConsoleExporter, createTracing, type SpanExporter, type Tracing } from '@holdfast/kit/telemetry/tracing';
import type { Log, Metrics } from '@holdfast/kit/telemetry';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import { parseKeyValueList, type Configuration } from '../config/index.ts';
import { databaseQueryCompleted } from '../platform/postgres/index.ts';
import { redisCommandCompleted } from '../platform/redis/index.ts';
import { serverMetrics } from './metric-catalogue.ts';
import { sentryTraceReceiver, type TraceReceiver } from './sentry-traces.ts';

export interface TracingOptions {
  readonly configuration: Configuration;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics | undefined;
}

/** Traces of this server, while they are switched on. */
export interface ServerTracing {
  readonly begin: Tracing['begin'];
  /** Stops listening, and sends what is left, in 5 s at most. */
  close(): Promise<void>;
}

/** Undefined when the configuration wants none: then nothing listens, and nothing that traces is loaded but these few lines. */
export async function openTracing(options: TracingOptions): Promise<ServerTracing | undefined> {
  const { configuration, clock, random, metrics } = options;
  const { disabled, exporter: wanted, endpoint, tracesEndpoint, keepFailedAndSlow, ...settings } = configuration.tracing;
  const kind = wanted ?? (endpoint === undefined && tracesEndpoint === undefined ? 'none' : 'otlp');
  const { dsn, tracesSampleRate } = configuration.sentry;
  const sentry = wanted === undefined && kind === 'none' && dsn !== undefined && tracesSampleRate > 0 ? dsn : undefined;
  if (disabled || (kind === 'none' && sentry === undefined)) return undefined;
  const exporter =
    kind === 'console'
      ? createConsoleExporter((text) => void process.stderr.write(text))
      : await openOtlp(options, sentry === undefined ? receiverOf(configuration) : sentryTraceReceiver(sentry.reveal()));
  const { slowMs, slowOverheadMs, incoming, captureContent, maxQueueSize, maxBatchSize, scheduleDelayMs } = settings;
  // Sentry's share is of the traces that begin here, as its own libraries have it: a caller's decision is kept.
  const { sampler, ratio } = sentry === undefined ? settings : { sampler: 'parentbased_traceidratio' as const, ratio: tracesSampleRate };
  const spans = metrics?.addCounter(serverMetrics.traceSpans);
  const tracing = createTracing({
    exporter,
    onSpans: (outcome, count) => spans?.add(count, { outcome }),
    clock,
    random,
    sampler,
    ratio,
    tail: keepFailedAndSlow,
    slowMs,
    slowOverheadMs,
    incoming,
    captureContent,
    maxQueueSize,
    maxBatchSize,
    scheduleDelayMs,
  });
  metrics?.addGauge(serverMetrics.traceQueue, () => tracing.queued);
  const stops = [
    tracing.listen(),
    redisCommandCompleted.subscribe(({ command, durationMs, outcome }) =>
      tracing.recordQuery({
        system: 'redis',
        operation: command,
        durationMs,
        ...(outcome === 'failed' && { errorCode: 'redis_unavailable' }),
      }),
    ),
    databaseQueryCompleted.subscribe(({ operation, table, statement, durationMs, errorCode }) =>
      tracing.recordQuery({ system: 'postgresql', operation, collection: table, text: statement, durationMs, errorCode }),
    ),
  ];
  return {
    begin: (headers) => tracing.begin(headers),
    async close() {
      for (const stop of stops) stop();
      await tracing.close();
    },
  };
}

function receiverOf({ tracing: { endpoint, tracesEndpoint, headers } }: Configuration): TraceReceiver {
  return {
    url: tracesEndpoint ?? `${(endpoint ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/traces`,
    headers: parseKeyValueList(headers?.reveal() ?? '') ?? {},
  };
}

async function openOtlp(
  { configuration, version, clock, random, log: { logger } }: TracingOptions,
  { url, headers }: TraceReceiver,
): Promise<SpanExporter> {
  const { protocol, compression, timeoutMs, serviceName, resourceAttributes } = configuration.tracing;
  const { createOtlpExporter } = await import('@holdfast/kit/telemetry/otlp');
  return createOtlpExporter({
    url,
    headers,
    protocol,
    compression,
    timeoutMs,
    version,
    clock,
    random,
    resource: {
      'service.version': version,
      'service.instance.id': createUuidV7(clock, random)(),
      'host.name': hostname(),
      'process.pid': process.pid,
      'telemetry.sdk.name': 'holdfast',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': version,
      ...parseKeyValueList(resourceAttributes ?? ''),
      'service.name': serviceName,
    },
    onFailure: (error) =>
      logger.warn({ err: error, receiver: url }, 'traces cannot be sent: they wait, and are dropped when there are too many'),
    onRecovery: () => logger.info({ receiver: url }, 'traces are sent again'),
  });
}

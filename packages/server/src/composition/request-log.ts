import type { Metrics } from '@holdfast/kit/telemetry';
import type { Clock, Random } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import type { Configuration } from '../config/index.ts';
import { initiatorOf, type HttpServerOptions } from '../entry/http/index.ts';
import {
  createRequestLogService,
  createRequestLogStore,
  overlapChars,
  requestLogRoutes,
  startRequestLog,
} from '../features/request-log/index.ts';
import type { AuditTrail } from '../platform/audit/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { instance } from './configuration.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface RequestLogOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly database: Database;
  readonly metrics: Metrics | undefined;
  readonly audit: AuditTrail;
}

/** A row of every request in the database, and the routes to look at them. Undefined when that is switched off. */
export function openRequestLog(
  options: RequestLogOptions,
): { readonly recorder: HttpServerOptions['recorder']; readonly routes: FastifyPluginAsync } | undefined {
  const { configuration, clock, random, closers, database, metrics } = options;
  const { enabled, content, maxContentBytes, retentionHours, maxRows } = configuration.requestLog;
  if (!enabled) return undefined;
  const store = createRequestLogStore(database);
  const dropped = metrics?.addCounter(serverMetrics.requestLogDropped);
  for (const reason of ['queue_full', 'refused']) dropped?.add(0, { reason });
  const log = startRequestLog({
    store,
    clock,
    random,
    instance: `${instance.host}:${instance.pid}`,
    retentionMs: retentionHours * 3_600_000,
    maxRows,
    maxContentChars: maxContentBytes,
    onDropped: (reason) => dropped?.add(1, { reason }),
  });
  closers.add('request log', () => log.stop());
  metrics?.addGauge(serverMetrics.requestLogQueued, () => log.queued);
  return {
    recorder: { contentBytes: content ? maxContentBytes + overlapChars : 0, add: (event, said) => log.add(event, said) },
    routes: requestLogRoutes({ service: createRequestLogService(store), audit: options.audit, initiatorOf }),
  };
}

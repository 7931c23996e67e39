import type { HealthRegistry } from '@holdfast/kit/health';
import type { Metrics } from '@holdfast/kit/telemetry';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import {
  AuditSequencer,
  auditEventsRejected,
  auditEventsSequenced,
  openDatabaseSession,
  rejectionReasons,
} from '../features/audit/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface AuditLogOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly health: HealthRegistry;
  readonly metrics: Metrics | undefined;
}

/** From here on the log is behind what it promises by so much that somebody should know. */
const tolerableLagMs = 30_000;

/** Gives audit events their places, unless another instance does. Opened early: so it is closed late, when the last events are there. */
export function openAuditLog({ configuration, clock, random, closers, database, keyRing, health, metrics }: AuditLogOptions): void {
  const { retentionDays, bufferSize } = configuration.audit;
  const createId = createUuidV7(clock, random);
  const sequencer = new AuditSequencer({
    ...{ clock, createId, bufferSize },
    openSession: () => openDatabaseSession({ database, keyRing, clock, random, createId, retentionDays: () => retentionDays }),
    breathe: () => new Promise((resolve) => void setImmediate(resolve)),
  });
  closers.add('audit sequencer', () => sequencer.stop());
  sequencer.start();

  health.watch('audit_log', () => {
    const { lagMs, waiting, blindSince, damaged } = sequencer.state;
    const measurement = { name: 'unsequenced', value: waiting, unit: 'events' };
    if (damaged) return { status: 'degraded', message: 'the log is not the one that was signed last, and is not continued', measurement };
    const behindMs = Math.max(lagMs, blindSince === undefined ? 0 : clock.monotonic() - blindSince);
    return behindMs > tolerableLagMs
      ? { status: 'degraded', message: 'events wait for their places in the log', measurement }
      : { status: 'healthy', message: 'events get their places in the log', measurement };
  });
  if (metrics) closers.add('audit metrics', measure(metrics, sequencer));
}

function measure(metrics: Metrics, sequencer: AuditSequencer): () => void {
  metrics.addGauge(serverMetrics.auditElected, () => (sequencer.state.elected ? 1 : 0));
  metrics.addGauge(serverMetrics.auditWaiting, () => sequencer.state.waiting);
  metrics.addGauge(serverMetrics.auditLag, () => sequencer.state.lagMs / 1_000);
  const sequenced = metrics.addCounter(serverMetrics.auditSequenced);
  sequenced.add(0, {});
  const rejected = metrics.addCounter(serverMetrics.auditRejected);
  for (const reason of rejectionReasons) rejected.add(0, { reason });
  const stops = [
    auditEventsSequenced.subscribe(({ events }) => sequenced.add(events, {})),
    auditEventsRejected.subscribe(({ reasons }) => {
      for (const reason of reasons) rejected.add(1, { reason });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

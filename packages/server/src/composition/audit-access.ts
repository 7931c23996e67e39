import type { Metrics } from '@holdfast/kit/telemetry';
import type { Clock, Random } from '@holdfast/kit/time';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Configuration } from '../config/index.ts';
import {
  auditRoutes,
  checkpointPublishAttempted,
  createAuditService,
  createLogReader,
  createPublicationStore,
  startPublishing,
  type AuditReading,
  type AuditService,
  type PublishedCheckpoint,
  type Retention,
} from '../features/audit/index.ts';
import type { Principal } from '../model/index.ts';
import type { Initiator, PersonalReferences } from '../platform/audit/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Audit } from './audit.ts';
import { checkpointPublishers } from './checkpoint-publishers.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface AuditAccessOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  readonly database: Database;
  readonly audit: Pick<Audit, 'references' | 'trail'>;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
  readonly metrics: Metrics | undefined;
  readonly principalOf: (request: FastifyRequest) => Principal;
}

/** The audit log for people: its routes, and its checkpoints put where nobody can take them back. */
export function openAuditAccess(options: AuditAccessOptions): { readonly routes: FastifyPluginAsync } {
  const { configuration, clock, random, closers, database, metrics, principalOf } = options;
  const service = openAuditService({ configuration, database, references: options.audit.references, clock });
  const publishers = checkpointPublishers(configuration, clock);
  if (publishers.length > 0) {
    const publishing = startPublishing({
      publishers,
      store: createPublicationStore(database),
      latest: () => latestCheckpoint(database),
      ...{ clock, random },
      everyMs: configuration.audit.publishIntervalSeconds * 1_000,
    });
    closers.add('checkpoint publishing', () => publishing.stop());
  }
  if (metrics)
    closers.add(
      'checkpoint metrics',
      measurePublishing(
        metrics,
        publishers.map(({ name }) => name),
      ),
    );

  /** Who looked at the log is in the log, in the series of those whose events they were. */
  const recordReading = async (request: FastifyRequest, { type, scope, view, personal }: AuditReading): Promise<void> => {
    const { organizationId } = scope;
    await options.audit.trail.record({
      type,
      organizationId: organizationId ?? null,
      by: options.initiatorOf(request),
      resource: { type: 'audit_log', id: organizationId ?? (organizationId === null ? 'instance' : 'all') },
      details: { view, personal, ...(scope.asOperator && typeof organizationId === 'string' && { organization_id: organizationId }) },
    });
  };
  return { routes: auditRoutes({ service, principalOf, recordReading }) };
}

export interface AuditServiceParts {
  readonly configuration: Configuration;
  readonly database: Database;
  readonly references: Pick<PersonalReferences, 'reveal'>;
  readonly clock: Clock;
}

/** What is read of the log, for routes and commands alike. */
export function openAuditService({ configuration, database, references, clock }: AuditServiceParts): AuditService {
  return createAuditService({
    database,
    clock,
    reveal: (row) => references.reveal(row),
    publications: createPublicationStore(database),
    retention: () => retentionOf(configuration),
  });
}

export async function latestCheckpoint(database: Pick<Database, 'query'>): Promise<PublishedCheckpoint | undefined> {
  const log = createLogReader(database.query('operator'));
  const checkpoint = await log.latestCheckpoint();
  return checkpoint && { ...checkpoint, origin: (await log.state()).origin };
}

function retentionOf({ audit, requestLog, performance }: Configuration): Retention[] {
  return [
    {
      what: 'The request log: who asked for what, when, from which address',
      kept: requestLog.enabled ? `${requestLog.retentionHours} hours` : 'not kept',
    },
    {
      what: 'What was said in requests and answers, masked',
      kept: requestLog.enabled && requestLog.content ? `${requestLog.retentionHours} hours` : 'not kept',
    },
    { what: 'Times and numbers of requests, without persons', kept: `${performance.retentionMinutes} minutes` },
    {
      what: 'Audit events, and what they refer to',
      kept: audit.retentionDays === 0 ? 'until you remove them' : `${audit.retentionDays} days`,
    },
    { what: 'The ledger: who called which model, when, at what cost', kept: 'until you remove it' },
  ];
}

function measurePublishing(metrics: Metrics, destinations: readonly string[]): () => void {
  const publications = metrics.addCounter(serverMetrics.auditPublications);
  for (const destination of destinations)
    for (const result of ['published', 'unchanged', 'failed']) publications.add(0, { destination, result });
  return checkpointPublishAttempted.subscribe(({ destination, result }) => publications.add(1, { destination, result }));
}

import { diagnosis, diagnosticsQuery, formatUsd, type DiagnosisBody, type DiagnosticsQuery } from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Principal } from '../../../model/index.ts';
import type { AuditTrail, Initiator } from '../../../platform/audit/index.ts';
import type { DatabaseFacts } from '../../../platform/postgres/index.ts';
import type { ProviderCall } from './call-providers.ts';
import type { Diagnosis, Diagnostics } from './diagnostics-service.ts';
import type { ProcessFacts } from './examine-process.ts';

export interface DiagnosticRoutesOptions {
  readonly diagnostics: Diagnostics;
  readonly instance: { readonly host: string; readonly pid: number };
  readonly principalOf: (request: FastifyRequest) => Principal;
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

/** `GET /api/health/diagnostics`: for operators, of the instance that answers. */
export function diagnosticRoutes({ diagnostics, instance, principalOf, audit, initiatorOf }: DiagnosticRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/health/diagnostics',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags: ['Health'],
        summary: 'Find out what is wrong, or will be',
        description:
          'Examines the configuration, the database, this process and what it uses, and says of each finding what to do. Asks the database some twenty questions of its own: for people, not for probes. Providers are called only when that is asked for.',
        querystring: diagnosticsQuery,
        response: { 200: diagnosis },
      },
      handler: async (request, reply): Promise<DiagnosisBody> => {
        const { call_providers } = request.query as DiagnosticsQuery;
        void reply.header('cache-control', 'no-store');
        const asked = { callProviders: call_providers === 'true', principal: principalOf(request), requestId: request.id };
        const found = await diagnostics.run(asked);
        const details = { provider_calls: asked.callProviders };
        await audit.record({ type: 'diagnostics.run', organizationId: null, by: initiatorOf(request), details });
        return toBody(found, instance);
      },
    });
  };
}

function toBody(found: Diagnosis, instance: DiagnosisBody['instance']): DiagnosisBody {
  const findings = found.findings.map(({ code, severity, area, message, evidence, remedy, bottleneck = false }) => ({
    code,
    severity,
    area,
    message,
    evidence: evidence as DiagnosisBody['findings'][number]['evidence'],
    remedy,
    bottleneck,
  }));
  return {
    status: found.status,
    checked_at: new Date(found.checkedAt).toISOString(),
    duration_ms: found.durationMs,
    instance,
    findings,
    bottlenecks: [...new Set(findings.filter(({ bottleneck }) => bottleneck).map(({ code }) => code))],
    database: found.database === undefined ? null : databaseBody(found.database),
    process: processBody(found.process),
    providers: found.providers?.map(providerBody) ?? null,
  };
}

function databaseBody(facts: DatabaseFacts): DiagnosisBody['database'] {
  return {
    version: facts.version,
    in_recovery: facts.inRecovery,
    round_trip_ms: facts.roundTripMs,
    clock_skew_ms: facts.clockSkewMs,
    max_connections: facts.maxConnections,
    used_connections: facts.usedConnections ?? null,
    lock_waits: facts.lockWaits?.waiting ?? null,
    open_transactions: facts.transactions?.open ?? null,
    longest_transaction_ms: facts.transactions?.longestMs ?? null,
    transaction_age: facts.transactionAge ?? null,
    size_bytes: facts.databaseBytes ?? null,
  };
}

function processBody(facts: ProcessFacts): DiagnosisBody['process'] {
  return {
    event_loop_delay_ms: Math.round(facts.eventLoopDelayMs * 1_000) / 1_000,
    heap_used_bytes: facts.heapUsedBytes,
    heap_limit_bytes: facts.heapLimitBytes,
    resident_bytes: facts.residentBytes,
    memory_limit_bytes: facts.memoryLimitBytes,
    open_files: facts.openFiles ?? null,
    open_files_limit: facts.openFilesLimit ?? null,
    disks: facts.disks.map(({ freeBytes, totalBytes }) => ({ free_bytes: freeBytes, total_bytes: totalBytes })),
  };
}

function providerBody(call: ProviderCall): NonNullable<DiagnosisBody['providers']>[number] {
  return {
    provider: call.provider,
    target: call.target,
    answered: call.answered,
    error_code: call.errorCode ?? null,
    latency_ms: call.latencyMs,
    prompt_tokens: call.promptTokens ?? null,
    completion_tokens: call.completionTokens ?? null,
    cost_nano_usd: call.costNanoUsd,
    cost_usd: call.costNanoUsd === null ? null : formatUsd(call.costNanoUsd),
  };
}

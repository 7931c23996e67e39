import { Readable } from 'node:stream';
import {
  auditActivity,
  auditActivityQuery,
  auditConsistency,
  auditConsistencyQuery,
  auditEvent,
  auditEventPage,
  auditEventParams,
  auditEventsQuery,
  auditExportQuery,
  auditKeys,
  auditPublications,
  auditReport,
  auditReportParams,
  auditReportQuery,
  type AuditActivityQuery,
  type AuditConsistencyQuery,
  type AuditEventsQuery,
  type AuditExportQuery,
  type AuditReportName,
  type AuditReportQuery,
} from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { AuditService } from './audit-service.ts';
import { scopeOf, type AuditScope } from './query/index.ts';
import { reportPage, reportPagePolicy } from './reports/index.ts';

/** Somebody looked at the log, or took a part of it away: that is worth an event itself. */
export interface AuditReading {
  readonly type: 'audit.read' | 'audit.exported';
  readonly scope: AuditScope;
  /** What was shown: `events`, `event`, `activity`, the name of a report, the format of an export. */
  readonly view: string;
  /** Whether it was told what references stand for. */
  readonly personal: boolean;
}

export interface AuditRoutesOptions {
  readonly service: AuditService;
  readonly principalOf: (request: FastifyRequest) => Principal;
  /** Awaited before anything is shown. */
  readonly recordReading: (request: FastifyRequest, reading: AuditReading) => Promise<void>;
}

const tags = ['Audit'];
const whoMay = 'A key sees the events of its own organization; an operator’s key those of all.';

/** `/api/audit`: the audit log, for people and for those who verify it. */
export function auditRoutes({ service, principalOf, recordReading }: AuditRoutesOptions): FastifyPluginAsync {
  const scopeFor = (request: FastifyRequest): AuditScope =>
    scopeOf(principalOf(request), (request.query as { organization_id?: string } | undefined)?.organization_id);

  return async (app: FastifyInstance) => {
    // Whose part of the log it is hangs on the key: no cache between may keep it.
    app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));

    app.route({
      method: 'GET',
      url: '/api/audit/events',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'List audit events',
        description: `What happened, the last in the log first, by keyset pages. ${whoMay} The latest second may be missing.`,
        querystring: auditEventsQuery,
        response: { 200: auditEventPage },
      },
      handler: async (request) => {
        const { organization_id: _, ...query } = request.query as AuditEventsQuery;
        const scope = scopeFor(request);
        const page = await service.list(scope, query);
        await recordReading(request, { type: 'audit.read', scope, view: 'events', personal: query.personal ?? false });
        return page;
      },
    });

    app.route({
      method: 'GET',
      url: '/api/audit/events/:id',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Look at an audit event',
        description: 'With what its references stand for, as far as that was not erased.',
        params: auditEventParams,
        response: { 200: auditEvent },
      },
      handler: async (request) => {
        const scope = scopeFor(request);
        const event = await service.find(scope, idOf(request));
        await recordReading(request, { type: 'audit.read', scope, view: 'event', personal: true });
        return event;
      },
    });

    app.route({
      method: 'GET',
      url: '/api/audit/events/:id/proof',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Prove an audit event',
        description:
          'A `tlog-proof` file of C2SP: the event, its place in the log and a signed checkpoint. Checked offline, with the public key alone: `holdfast audit verify`.',
        params: auditEventParams,
        produces: ['text/plain'],
      },
      handler: async (request, reply) => {
        const scope = scopeFor(request);
        const proof = await service.prove(scope, idOf(request));
        // The event is in it.
        await recordReading(request, { type: 'audit.read', scope, view: 'event', personal: false });
        return reply
          .type('text/plain; charset=utf-8')
          .header('content-disposition', `attachment; filename="${idOf(request)}.tlog-proof"`)
          .send(proof);
      },
    });

    app.route({
      method: 'GET',
      url: '/api/audit/checkpoint',
      config: { access: 'audit:read', errors: ['resource_not_found'] },
      schema: {
        tags,
        summary: 'The last checkpoint',
        description: 'A signed note of C2SP: size and root of the log. Keep it where the operator cannot reach it.',
        produces: ['text/plain'],
      },
      handler: async (request, reply) => reply.type('text/plain; charset=utf-8').send(await service.checkpoint(scopeFor(request))),
    });

    app.route({
      method: 'GET',
      url: '/api/audit/consistency',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Prove that the log only grew',
        description: 'That the log of the size of a checkpoint that you kept is the beginning of that of a later one.',
        querystring: auditConsistencyQuery,
        response: { 200: auditConsistency },
      },
      handler: async (request) => service.consistency(scopeFor(request), request.query as AuditConsistencyQuery),
    });

    app.route({
      method: 'GET',
      url: '/api/audit/keys',
      config: { access: 'audit:read', errors: [] },
      schema: {
        tags,
        summary: 'The public keys of the log',
        description: 'What checkpoints are verified with. Compare them with those that you kept: who has the log could show you others.',
        response: { 200: auditKeys },
      },
      handler: async (request) => service.keys(scopeFor(request)),
    });

    for (const type of ['user', 'organization'] as const) {
      app.route({
        method: 'GET',
        url: `/api/audit/activity/${type}s/:id`,
        config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
        schema: {
          tags,
          summary: `Activity of ${type === 'user' ? 'a user' : 'an organization'}`,
          description: `In numbers: by type and outcome, by who did it, by day. ${whoMay}`,
          params: auditEventParams,
          querystring: auditActivityQuery,
          response: { 200: auditActivity },
        },
        handler: async (request) => {
          const id = idOf(request);
          const { organization_id: asked, ...period } = request.query as AuditActivityQuery;
          const scope = scopeOf(principalOf(request), type === 'organization' ? id : asked);
          const activity = await service.activity(scope, { type, id }, period);
          await recordReading(request, { type: 'audit.read', scope, view: 'activity', personal: false });
          return activity;
        },
      });
    }

    const report = async (request: FastifyRequest) => {
      const { name } = request.params as { name: AuditReportName };
      const { organization_id: _, ...period } = request.query as AuditReportQuery;
      const scope = scopeFor(request);
      const made = await service.report(scope, name, period);
      await recordReading(request, { type: 'audit.read', scope, view: name, personal: false });
      return made;
    };
    app.route({
      method: 'GET',
      url: '/api/audit/reports/:name',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'A report',
        description: `Who may do what (\`access-review\`), what was refused and attacked (\`security-incidents\`), where personal data went (\`personal-data\`). ${whoMay}`,
        params: auditReportParams,
        querystring: auditReportQuery,
        response: { 200: auditReport },
      },
      handler: report,
    });
    app.route({
      method: 'GET',
      url: '/api/audit/reports/:name/page',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'A report as a page to print',
        description: 'HTML, complete in itself and without script.',
        params: auditReportParams,
        querystring: auditReportQuery,
        produces: ['text/html'],
      },
      handler: async (request, reply) =>
        reply
          .type('text/html; charset=utf-8')
          .header('content-security-policy', reportPagePolicy)
          .send(reportPage(await report(request))),
    });

    app.route({
      method: 'GET',
      url: '/api/audit/export',
      config: { access: 'audit:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Export audit events',
        description: `A file of JSON Lines that verifies by itself with the public key (\`holdfast audit verify\`), or CSV for spreadsheets. Streamed; \`x-audit-events\` says how many events it will hold. ${whoMay}`,
        querystring: auditExportQuery,
        produces: ['application/jsonl', 'text/csv'],
      },
      handler: async (request, reply) => {
        const { organization_id: _, ...query } = request.query as AuditExportQuery;
        const scope = scopeFor(request);
        const { checkpoint, events, text } = await service.export(scope, query);
        await recordReading(request, { type: 'audit.exported', scope, view: query.format, personal: query.personal ?? false });
        const name = `audit-${scope.organizationId === undefined ? 'log' : (scope.organizationId ?? 'instance')}-${checkpoint.size}.${query.format}`;
        return (
          reply
            .type(query.format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl')
            .header('content-disposition', `attachment; filename="${name}"`)
            .header('x-audit-events', events)
            .header('x-audit-size', checkpoint.size)
            // Reads the next page when the client has taken the last one.
            .send(Readable.from(text, { objectMode: false }))
        );
      },
    });

    app.route({
      method: 'GET',
      url: '/api/audit/publications',
      config: { access: 'operator', errors: [] },
      schema: {
        tags,
        summary: 'Where checkpoints are published',
        description: 'And which one was the last. What is published somewhere out of your reach cannot be taken back.',
        response: { 200: auditPublications },
      },
      handler: async () => service.publications(),
    });
  };
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id.toLowerCase();
}

import {
  requestLogDetail,
  requestLogPage,
  requestLogParams,
  requestLogQuery,
  type RequestLogDetail,
  type RequestLogQuery,
} from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';
import type { RequestLogService } from './request-log-service.ts';

export interface RequestLogRoutesOptions {
  readonly service: RequestLogService;
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

/** `/api/request-log`: the requests of all organizations, for operators. */
export function requestLogRoutes({ service, audit, initiatorOf }: RequestLogRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/request-log',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags: ['Operations'],
        summary: 'List requests',
        description: 'Every request that was answered, newest first, by keyset pages. The latest second may be missing.',
        querystring: requestLogQuery,
        response: { 200: requestLogPage },
      },
      handler: async (request, reply) => {
        const { limit, cursor, ...filter } = request.query as RequestLogQuery;
        void reply.header('cache-control', 'no-store');
        const page = await service.list(filter, { limit, cursor });
        await audit.record({
          type: 'request_log.read',
          organizationId: null,
          by: initiatorOf(request),
          resource: { type: 'request', id: undefined },
          details: { rows: page.data.length, filters: Object.keys(filter).sort() },
        });
        return page;
      },
    });

    app.route({
      method: 'GET',
      url: '/api/request-log/:id',
      config: { access: 'operator', errors: ['resource_not_found'] },
      schema: {
        tags: ['Operations'],
        summary: 'Look at a request',
        description: 'With what was said in it and in its answer, masked, where the configuration has that kept.',
        params: requestLogParams,
        response: { 200: requestLogDetail },
      },
      handler: async (request, reply): Promise<RequestLogDetail> => {
        void reply.header('cache-control', 'no-store');
        const found = await service.find((request.params as { id: string }).id);
        await audit.record({
          type: 'request_log.read',
          organizationId: null,
          by: initiatorOf(request),
          resource: { type: 'request', id: found.id },
          details: { rows: 1, content: found.request_content !== null || found.response_content !== null },
        });
        return found;
      },
    });
  };
}

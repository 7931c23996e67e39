import {
  requestLogDetail,
  requestLogPage,
  requestLogParams,
  requestLogQuery,
  type RequestLogDetail,
  type RequestLogQuery,
} from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { RequestLogService } from './request-log-service.ts';

/** `/api/request-log`: the requests of all organizations, for operators. */
export function requestLogRoutes(service: RequestLogService): FastifyPluginAsync {
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
        return service.list(filter, { limit, cursor });
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
        return service.find((request.params as { id: string }).id);
      },
    });
  };
}

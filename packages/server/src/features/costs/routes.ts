import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { usagePage, usageQuery, type UsageQuery } from '@holdfast/contracts';
import type { UsageService } from './usage-service.ts';

/** `GET /api/usage`: the calls of the key's organization, newest first. */
export function usageRoutes(usage: UsageService): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/usage',
      config: { access: 'usage:read', errors: ['invalid_request'] },
      schema: {
        tags: ['Usage'],
        summary: 'List calls',
        description: 'The ledger of your organization: one row a call, newest first, by keyset pages.',
        querystring: usageQuery,
        response: { 200: usagePage },
      },
      handler: async (request: FastifyRequest) => {
        const { limit, cursor, ...filter } = request.query as UsageQuery;
        return usage.ofOrganization(request.principal!.organizationId, filter, { limit, cursor });
      },
    });
  };
}

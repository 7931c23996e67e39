import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { costEstimate, costPage, costQuery, estimateCostRequest, type CostQuery, type EstimateCostRequest } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { CostCalculator } from './cost-calculator.ts';
import type { CostService } from './cost-service.ts';

/** `GET /api/costs` and `POST /api/costs/estimate`. */
export function costRoutes(costs: CostService, calculator: CostCalculator): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/costs',
      config: { access: 'usage:read', errors: ['invalid_request'] },
      schema: {
        tags: ['Costs'],
        summary: 'Sum up costs',
        description:
          'Calls, tokens and costs of your organization, by day, model, organization, user, key or feature; corrections included. Exact at the moment of the answer.',
        querystring: costQuery,
        response: { 200: costPage },
      },
      handler: async (request: FastifyRequest) => {
        const query = request.query as CostQuery;
        const { organizationId, scopes } = request.principal!;
        if (!query.all_organizations) return costs.ofOrganization(organizationId, query);
        if (!scopes.has('operator')) throw new HoldfastError('scope_missing', { details: { scope: 'operator' } });
        return costs.ofInstance(query);
      },
    });
    app.route({
      method: 'POST',
      url: '/api/costs/estimate',
      config: { access: 'usage:read', errors: ['invalid_request', 'model_not_allowed', 'model_not_found'] },
      schema: {
        tags: ['Costs'],
        summary: 'Estimate what calls would cost',
        description: 'By tokens, or by a whole request, which nobody is sent; at each target that may serve the model.',
        body: estimateCostRequest,
        response: { 200: costEstimate },
      },
      handler: async (request: FastifyRequest) =>
        calculator.estimate(request.body as EstimateCostRequest, request.principal!.allowedModels),
    });
  };
}

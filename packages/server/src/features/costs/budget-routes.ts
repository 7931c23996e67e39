import {
  budget,
  budgetPage,
  budgetParams,
  changeBudgetRequest,
  createBudgetRequest,
  listBudgetsQuery,
  type ChangeBudgetRequest,
  type CreateBudgetRequest,
  type ListBudgetsQuery,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Initiator } from '../../platform/audit/index.ts';
import { toBudgetBody, type BudgetService, type BudgetView } from './budgets/index.ts';

export interface BudgetRoutesOptions {
  readonly service: BudgetService;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

const tags = ['Budgets'];
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `/api/budgets`: an organization reads its own, the operator of the instance makes and changes them. */
export function budgetRoutes({ service, initiatorOf }: BudgetRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/budgets',
      config: { access: 'usage:read', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'List budgets',
        description: 'The budgets of your organization, newest first, and how they stand, to the last second.',
        querystring: listBudgetsQuery,
        response: { 200: budgetPage },
      },
      handler: async (request) => {
        const { limit, cursor, all_organizations } = request.query as ListBudgetsQuery;
        const { organizationId, scopes } = request.principal!;
        if (all_organizations && !scopes.has('operator')) throw new HoldfastError('scope_missing', { details: { scope: 'operator' } });
        const view: BudgetView = all_organizations ? 'instance' : { organizationId };
        const { standings, more } = await service.list(view, { limit, beforeId: cursor === undefined ? undefined : readCursor(cursor) });
        const last = standings.at(-1);
        return { data: standings.map(toBudgetBody), next_cursor: more && last !== undefined ? writeCursor(last.budget.id) : null };
      },
    });

    app.route({
      method: 'POST',
      url: '/api/budgets',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'Make a budget',
        description:
          'In force on every instance within a second. What its day or month has spent so far counts, but for calls under way; a total counts from now on.',
        body: createBudgetRequest,
        response: { 201: budget },
      },
      handler: async (request, reply) => {
        const asked = request.body as CreateBudgetRequest;
        const organization_id = asked.organization_id?.toLowerCase() ?? request.principal!.organizationId;
        const made = await service.create({ ...asked, organization_id, subject_id: asked.subject_id?.toLowerCase() }, initiatorOf(request));
        reply.code(201).header('location', `/api/budgets/${made.budget.id}`);
        return toBudgetBody(made);
      },
    });

    app.route({
      method: 'GET',
      url: '/api/budgets/:id',
      config: { access: 'usage:read', errors: ['invalid_request', 'resource_not_found'] },
      schema: { tags, summary: 'Look at a budget', params: budgetParams, response: { 200: budget } },
      handler: async (request) => {
        const { organizationId, scopes } = request.principal!;
        return toBudgetBody(await service.get(scopes.has('operator') ? 'instance' : { organizationId }, idOf(request)));
      },
    });

    app.route({
      method: 'PATCH',
      url: '/api/budgets/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Change a budget',
        description:
          'In force on every instance within a second. Calls under way keep what is held back for them, also under a lower limit.',
        params: budgetParams,
        body: changeBudgetRequest,
        response: { 200: budget },
      },
      handler: async (request) =>
        toBudgetBody(await service.change(idOf(request), request.body as ChangeBudgetRequest, initiatorOf(request))),
    });

    app.route({
      method: 'DELETE',
      url: '/api/budgets/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Delete a budget',
        description: 'It counts and refuses nothing from then on, on every instance within a second. The ledger keeps what was spent.',
        params: budgetParams,
        response: { 200: budget },
      },
      handler: async (request) => {
        const id = idOf(request);
        const was = await service.get('instance', id);
        await service.remove(id, initiatorOf(request));
        return toBudgetBody(was);
      },
    });
  };
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id.toLowerCase();
}

/** Where the next page begins. Opaque to clients. */
function writeCursor(id: string): string {
  return Buffer.from(id, 'latin1').toString('base64url');
}

function readCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!uuid.test(id))
    throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a `next_cursor` of this list' }] });
  return id;
}

import {
  changeOrganizationRequest,
  listOrganizationsQuery,
  organization,
  organizationPage,
  organizationParams,
  type ChangeOrganizationRequest,
} from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Initiator } from '../../platform/audit/index.ts';
import { decodeKeyCursor, encodeKeyCursor } from './key-cursor.ts';
import type { OrganizationService } from './organization-service.ts';
import { toOrganizationBody } from './organization.ts';

export interface OrganizationRoutesOptions {
  readonly service: OrganizationService;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

const tags = ['Organizations'];

/** `/api/organizations`: every tenant of the instance, for its operator. */
export function organizationRoutes({ service, initiatorOf }: OrganizationRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/organizations',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'List organizations',
        description: 'All organizations of the instance, newest first.',
        querystring: listOrganizationsQuery,
        response: { 200: organizationPage },
      },
      handler: async (request) => {
        const { limit, cursor } = request.query as { limit: number; cursor?: string };
        const beforeId = cursor === undefined ? undefined : decodeKeyCursor(cursor);
        const { organizations, more } = await service.list({ limit, beforeId });
        const last = organizations.at(-1);
        return { data: organizations.map(toOrganizationBody), next_cursor: more && last !== undefined ? encodeKeyCursor(last.id) : null };
      },
    });

    app.route({
      method: 'GET',
      url: '/api/organizations/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: { tags, summary: 'Look at an organization', params: organizationParams, response: { 200: organization } },
      handler: async (request) => toOrganizationBody(await service.get(idOf(request))),
    });

    app.route({
      method: 'PATCH',
      url: '/api/organizations/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Change an organization',
        description: 'Its tier counts on every instance within a second. What was taken from its limits stays taken.',
        params: organizationParams,
        body: changeOrganizationRequest,
        response: { 200: organization },
      },
      handler: async (request) => {
        const { tier } = request.body as ChangeOrganizationRequest;
        return toOrganizationBody(await service.setTier(idOf(request), tier, initiatorOf(request)));
      },
    });
  };
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id.toLowerCase();
}

import {
  apiKey,
  changeKeyRequest,
  createKeyRequest,
  issuedKey,
  keyPage,
  keyParams,
  listKeysQuery,
  rotatedKey,
  rotateKeyRequest,
  type ChangeKeyRequest,
  type CreateKeyRequest,
  type RotateKeyRequest,
} from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { Initiator } from '../../platform/audit/index.ts';
import type { ApiKey } from './api-key.ts';
import { toKeyBody } from './key-body.ts';
import { decodeKeyCursor, encodeKeyCursor } from './key-cursor.ts';
import type { KeyActor, KeyService } from './key-service.ts';

export interface KeyRoutesOptions {
  readonly service: KeyService;
  /** Whose key the request carried. The door has made sure that there is one. */
  readonly principalOf: (request: FastifyRequest) => Principal;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

const tags = ['Keys'];

/** `/api/keys`: the keys of the organization of the key that asks. */
export function keyRoutes({ service, principalOf, initiatorOf }: KeyRoutesOptions): FastifyPluginAsync {
  const actorOf = (request: FastifyRequest): KeyActor => ({ ...principalOf(request), by: initiatorOf(request) });
  const body = (key: ApiKey) => toKeyBody(key, service.statusOf(key));

  return async (app: FastifyInstance) => {
    app.route({
      method: 'POST',
      url: '/api/keys',
      config: { access: 'keys:write', errors: ['invalid_request', 'model_not_allowed'] },
      schema: {
        tags,
        summary: 'Make a key',
        description: 'The secret is in this answer and nowhere else. A key can be given no scope and no model that yours has not.',
        body: createKeyRequest,
        response: { 201: issuedKey },
      },
      handler: async (request, reply) => {
        const { name, scopes, allowed_models, expires_at, ...rateLimits } = request.body as CreateKeyRequest;
        const { key, secret } = await service.create(actorOf(request), {
          name,
          scopes,
          allowedModels: allowed_models ?? undefined,
          expiresAt: timeOf(expires_at),
          rateLimits,
        });
        created(reply, key.id);
        return { ...body(key), key: secret };
      },
    });

    app.route({
      method: 'GET',
      url: '/api/keys',
      config: { access: 'keys:write', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'List keys',
        description: 'All keys of your organization, those that work no longer too, newest first.',
        querystring: listKeysQuery,
        response: { 200: keyPage },
      },
      handler: async (request) => {
        const { limit, cursor } = request.query as { limit: number; cursor?: string };
        const beforeId = cursor === undefined ? undefined : decodeKeyCursor(cursor);
        const { keys, more } = await service.list(actorOf(request), { limit, beforeId });
        const last = keys.at(-1);
        return { data: keys.map(body), next_cursor: more && last !== undefined ? encodeKeyCursor(last.id) : null };
      },
    });

    app.route({
      method: 'GET',
      url: '/api/keys/:id',
      config: { access: 'keys:write', errors: ['invalid_request', 'resource_not_found'] },
      schema: { tags, summary: 'Look at a key', params: keyParams, response: { 200: apiKey } },
      handler: async (request) => body(await service.get(actorOf(request), idOf(request))),
    });

    app.route({
      method: 'PATCH',
      url: '/api/keys/:id',
      config: { access: 'keys:write', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Change a key',
        description:
          'Its name and limits, on every instance within a second. What is left out stays as it is; null takes a limit away. No limit can be above that of your own key.',
        params: keyParams,
        body: changeKeyRequest,
        response: { 200: apiKey },
      },
      handler: async (request) => body(await service.change(actorOf(request), idOf(request), request.body as ChangeKeyRequest)),
    });

    app.route({
      method: 'POST',
      url: '/api/keys/:id/rotate',
      config: { access: 'keys:write', errors: ['invalid_request', 'resource_not_found', 'conflict', 'model_not_allowed'] },
      schema: {
        tags,
        summary: 'Rotate a key',
        description:
          'Makes a key with the same rights and limits. The old one works on for the grace period, so that its users can change over without a gap.',
        params: keyParams,
        body: rotateKeyRequest.nullish(),
        response: { 201: rotatedKey },
      },
      handler: async (request, reply) => {
        const asked = (request.body ?? {}) as Partial<RotateKeyRequest>;
        const { key, secret, replaced } = await service.rotate(actorOf(request), idOf(request), {
          graceSeconds: asked.grace_seconds,
          expiresAt: timeOf(asked.expires_at),
        });
        created(reply, key.id);
        return { ...body(key), key: secret, replaces: { id: replaced.id, expires_at: replaced.expiresAt!.toISOString() } };
      },
    });

    app.route({
      method: 'DELETE',
      url: '/api/keys/:id',
      config: { access: 'keys:write', errors: ['invalid_request', 'resource_not_found', 'conflict'] },
      schema: {
        tags,
        summary: 'Revoke a key',
        description: 'It stops working on every instance within a second. The key stays in the list. May be repeated.',
        params: keyParams,
        response: { 200: apiKey },
      },
      handler: async (request) => body(await service.revoke(actorOf(request), idOf(request))),
    });
  };
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id.toLowerCase();
}

function timeOf(text: string | null | undefined): Date | undefined {
  return text === null || text === undefined ? undefined : new Date(text);
}

/** An answer that carries a secret is kept by no cache on its way. */
function created(reply: FastifyReply, id: string): void {
  reply.code(201).header('location', `/api/keys/${id}`).header('cache-control', 'no-store');
}

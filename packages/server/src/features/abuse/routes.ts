import { ban, banPage, banParams, createBanRequest, listBansQuery, type CreateBanRequest } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import { parseIpRange, type BanBook, type ClientIp } from '@holdfast/kit/security';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { Initiator } from '../../platform/audit/index.ts';
import { decodeBanCursor, encodeBanCursor, toBanBody } from './ban-body.ts';
import type { BanIds } from './ban-ids.ts';

export interface BanRoutesOptions {
  readonly bans: Pick<BanBook, 'list' | 'find' | 'add' | 'lift'>;
  readonly ids: BanIds;
  readonly principalOf: (request: FastifyRequest) => Principal;
  readonly clientOf: (request: FastifyRequest) => ClientIp;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

const tags = ['Bans'];

/** `/api/bans`: who is shut out of the whole instance, for its operator. */
export function banRoutes({ bans, ids, principalOf, clientOf, initiatorOf }: BanRoutesOptions): FastifyPluginAsync {
  /** Of an id that is none: there is no such ban. */
  function rangeOf({ id }: { readonly id: string }): string {
    const read = ids.read(id);
    if (read === undefined) throw new HoldfastError('resource_not_found');
    return read.range;
  }

  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/bans',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'List bans',
        description: 'The bans in force, newest first, as this instance knows them; those of other instances are known within a second.',
        querystring: listBansQuery,
        response: { 200: banPage },
      },
      handler: async (request) => {
        const { limit, cursor } = request.query as { limit: number; cursor?: string };
        const page = bans.list({ limit, ...(cursor !== undefined && { cursor: decodeBanCursor(cursor) }) });
        return {
          data: page.bans.map((each) => toBanBody(each, ids)),
          next_cursor: page.nextCursor === undefined ? null : encodeBanCursor(page.nextCursor),
        };
      },
    });

    app.route({
      method: 'POST',
      url: '/api/bans',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'Ban addresses',
        description:
          'In force on every instance within a second, for every route but probes and metrics, whatever key is sent. Takes the place of any ban of the same range. Refused for loopback, for trusted proxies, and for a range that holds the address that you ask from.',
        body: createBanRequest,
        response: { 201: ban },
      },
      handler: async (request, reply) => {
        const { range, ends_at, note } = request.body as CreateBanRequest;
        if (parseIpRange(range)?.contains(clientOf(request).address)) throw ownAddress();
        const endsAtMs = ends_at == null ? null : Date.parse(ends_at);
        const manual = { range, endsAtMs, by: principalOf(request).keyId, note: note ?? null };
        const added = toBanBody(await bans.add(manual, initiatorOf(request)), ids);
        reply.code(201).header('location', `/api/bans/${added.id}`);
        return added;
      },
    });

    app.route({
      method: 'GET',
      url: '/api/bans/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Read a ban',
        description:
          'The ban in force of the range that the id stands for: the log names bans by their ids, and clients by pseudonyms. Of a ban that has ended, `holdfast bans show` on the machine of the server still tells the range.',
        params: banParams,
        response: { 200: ban },
      },
      handler: async (request) => {
        const found = bans.find(rangeOf(request.params as { id: string }));
        if (found === undefined) throw new HoldfastError('resource_not_found');
        return toBanBody(found, ids);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/api/bans/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Lift a ban',
        description:
          'Ends it on every instance within a second, and forgets those of the same range before it, so that the next automatic one is as short as a first.',
        params: banParams,
        response: { 200: ban },
      },
      handler: async (request) => {
        const lifted = await bans.lift(rangeOf(request.params as { id: string }), principalOf(request).keyId, initiatorOf(request));
        if (lifted === undefined) throw new HoldfastError('resource_not_found');
        return toBanBody(lifted, ids);
      },
    });
  };
}

/** Nobody could lift it from there: the door would refuse them like everybody else. */
function ownAddress(): HoldfastError {
  return new HoldfastError('invalid_request', {
    details: [
      { field: 'range', message: 'holds the address that you ask from; `holdfast bans add` at the command line does it all the same' },
    ],
  });
}

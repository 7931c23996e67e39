import { rateLimitList, rateLimitsQuery, type RateLimitListBody, type RateLimitsQuery } from '@holdfast/contracts';
import type { BucketTake } from '@holdfast/kit/ratelimit';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { RequestLimits } from './request-limits.ts';
import type { Standing } from './standing.ts';

export interface RateLimitRoutesOptions {
  readonly standing: Standing;
  /** Undefined when requests are not limited. */
  readonly limits: Pick<RequestLimits, 'ofOrganization' | 'ofAddress' | 'ofCaller'> | undefined;
  /** Name of an organization's tier. Throws `resource_not_found`. */
  readonly tierOf: (organizationId: string) => Promise<string>;
  /** The key of an address's bucket. */
  readonly addressKey: (address: string) => string;
  readonly principalOf: (request: FastifyRequest) => Principal;
}

const tags = ['Limits'];

/** `/api/rate-limits`: how full the buckets are. Looking takes nothing from them but what every request takes. */
export function rateLimitRoutes(options: RateLimitRoutesOptions): FastifyPluginAsync {
  const { standing, limits, tierOf, addressKey, principalOf } = options;
  const list = (data: RateLimitListBody['data']): RateLimitListBody => ({ data, next_cursor: null });

  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/rate-limits',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'List limits',
        description:
          'The fullest buckets of the instance, of all instances when they share Redis; those less than half full may be missing. With an organization or an address: its own, full or not.',
        querystring: rateLimitsQuery,
        response: { 200: rateLimitList },
      },
      handler: async (request) => {
        const { limit, level, organization_id, address } = request.query as RateLimitsQuery;
        if (organization_id === undefined && address === undefined)
          return list(await standing.fullest({ limit, ...(level !== undefined && { policy: level }) }));
        let takes: readonly BucketTake[] = [];
        if (address !== undefined) takes = limits?.ofAddress(addressKey(address)) ?? [];
        else if (organization_id !== undefined) {
          const id = organization_id.toLowerCase();
          const tier = await tierOf(id);
          takes = limits?.ofOrganization(id, tier) ?? [];
        }
        const data = await standing.of(takes);
        return list(data.filter((bucket) => level === undefined || bucket.level === level).slice(0, limit));
      },
    });

    app.route({
      method: 'GET',
      url: '/api/rate-limits/self',
      config: { access: 'authenticated' },
      schema: {
        tags,
        summary: 'Look at your own limits',
        description: 'What is left of the limits that count the requests of your key: its own, its person’s and its organization’s.',
        response: { 200: rateLimitList },
      },
      handler: async (request) => list(await standing.of(limits?.ofCaller(principalOf(request)) ?? [])),
    });
  };
}

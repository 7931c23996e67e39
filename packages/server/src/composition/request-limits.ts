import type { RateLimiter } from '@holdfast/kit/ratelimit';
import { addressKey, clientIpDefaults, parseIp } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import type { Configuration } from '../config/index.ts';
import type { RequestLimits as DoorLimits } from '../entry/http/index.ts';
import type { OrganizationService } from '../features/identity/index.ts';
import { createRequestLimits, createStanding, rateLimitRoutes, type RequestLimits } from '../features/limits/index.ts';

/** The limits on requests, as the door takes them; undefined when limits are switched off. */
export function requestLimits({ rateLimits }: Configuration, limiter: RateLimiter): (RequestLimits & DoorLimits) | undefined {
  return rateLimits.enabled ? { limiter, ...createRequestLimits(rateLimits) } : undefined;
}

/** `/api/rate-limits` */
export function openRateLimitRoutes(options: {
  readonly limits: (RequestLimits & DoorLimits) | undefined;
  readonly limiter: RateLimiter;
  readonly organizations: OrganizationService;
  readonly clock: Clock;
}): FastifyPluginAsync {
  const { limits, limiter, organizations, clock } = options;
  return rateLimitRoutes({
    standing: createStanding({ limiter, clock }),
    limits,
    tierOf: async (organizationId) => (await organizations.get(organizationId)).tier,
    addressKey: (address) => {
      const parsed = parseIp(address);
      return parsed === undefined ? address : addressKey(parsed, clientIpDefaults.ipv6PrefixLength).text;
    },
    principalOf: (request) => request.principal!,
  });
}

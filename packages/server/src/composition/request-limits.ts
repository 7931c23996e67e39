import type { RateLimiter } from '@holdfast/kit/ratelimit';
import { addressKey, parseIp } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import type { OrganizationService } from '../features/identity/index.ts';
import { createCallBuckets, type CallLimits } from '../model/index.ts';
import { createStanding, rateLimitRoutes, type RequestLimits } from '../features/limits/index.ts';

/** `/api/rate-limits` */
export function openRateLimitRoutes(options: {
  readonly limits: RequestLimits;
  readonly callLimits: CallLimits;
  readonly limiter: RateLimiter;
  readonly organizations: OrganizationService;
  readonly clock: Clock;
  /** Bits of an IPv6 address that make one client. */
  readonly ipv6PrefixLength: number;
}): FastifyPluginAsync {
  const { limits, callLimits, limiter, organizations, clock, ipv6PrefixLength } = options;
  const ofCalls = createCallBuckets(callLimits);
  return rateLimitRoutes({
    standing: createStanding({ limiter, clock }),
    limits: {
      ofCaller: (principal) => [...limits.ofCaller(principal), ...ofCalls.ofCaller(principal)],
      ofOrganization: (id, tier) => [...limits.ofOrganization(id, tier), ...ofCalls.ofOrganization(id, tier)],
      ofAddress: (key) => limits.ofAddress(key),
    },
    tierOf: async (organizationId) => (await organizations.get(organizationId)).tier,
    addressKey: (address) => {
      const parsed = parseIp(address);
      return parsed === undefined ? address : addressKey(parsed, ipv6PrefixLength).text;
    },
    principalOf: (request) => request.principal!,
  });
}

import { HoldfastError } from '@holdfast/kit/errors';
import type { BucketTake, LimitPolicy } from '@holdfast/kit/ratelimit';
import type { Principal } from '../../model/index.ts';
import { tierUnknown } from './announcements.ts';
import { createLevelPolicies, type EndpointPolicies, type LevelPolicies } from './level-policies.ts';
import type { EndpointSubject, RequestLimitOptions } from './options.ts';

/** What is known of a route when it is added. */
export interface LimitedRoute {
  readonly methods: readonly string[];
  /** Its pattern: `/api/keys/:id`. Undefined for whatever is not found. */
  readonly path: string | undefined;
  /** Whether a valid key calls models with it: such calls do not count into the global level. */
  readonly isModelCall: boolean;
}

/**
 * From which buckets a request takes: those of whoever makes it, or of its address when nobody is known by a valid key. Runs for each
 * request.
 */
export type LevelsOfRoute = (principal: Principal | null, address: string) => readonly BucketTake[];

/** Which levels count a request. */
export interface RequestLimits {
  /** Once a route, when it is added. */
  forRoute(route: LimitedRoute): LevelsOfRoute;
  /** The buckets of whoever calls with a valid key, without those of everybody and of endpoints. */
  ofCaller(principal: Principal): readonly BucketTake[];
  ofOrganization(organizationId: string, tier: string): readonly BucketTake[];
  /** Of an address without a valid key. */
  ofAddress(addressKey: string): readonly BucketTake[];
  /** Throws `configuration_invalid` for endpoints that no route has. Once all routes are there. */
  refuseUnknownEndpoints(): void;
}

const nothing: readonly BucketTake[] = Object.freeze([]);

export function createRequestLimits(options: RequestLimitOptions): RequestLimits {
  const policies = createLevelPolicies(options);
  const found = new Set<string>();
  const unknownTiers = new Set<string>();

  function tierPoliciesOf(tier: string, organizationId: string): readonly LimitPolicy[] {
    const known = policies.tiers.get(tier);
    if (known) return known;
    if (!unknownTiers.has(tier)) {
      unknownTiers.add(tier);
      tierUnknown.publish({ tier, organizationId });
    }
    return policies.tiers.get('basic')!;
  }

  const tierOf = ({ organizationTier, organizationId }: Principal) => tierPoliciesOf(organizationTier, organizationId);
  const ofCaller = levelsOf(policies, [], true, tierOf);

  return {
    ofCaller: (principal) => ofCaller(principal, ''),
    ofOrganization: (organizationId, tier) => tierPoliciesOf(tier, organizationId).map((policy) => ({ policy, key: organizationId })),
    ofAddress: (addressKey) => policies.levels.ip.map((policy) => ({ policy, key: addressKey })),
    forRoute(route) {
      const endpoints = policies.endpoints.filter((endpoint) => isEndpointOf(endpoint, route));
      for (const { name } of endpoints) found.add(name);
      if (endpoints.some(({ exempt }) => exempt)) return () => nothing;
      return levelsOf(policies, endpoints, route.isModelCall, tierOf);
    },
    refuseUnknownEndpoints() {
      const unknown = options.endpoints.filter(({ name }) => !found.has(name)).map(({ name }) => name);
      if (unknown.length === 0) return;
      const problem = (name: string): string => `there is no route ${name}; /docs lists what there is`;
      throw new HoldfastError('configuration_invalid', {
        detail: unknown.map((name) => `rateLimits.endpoints: ${problem(name)}`).join('\n'),
        details: { faults: unknown.map((name) => ({ where: 'configuration', setting: 'rateLimits.endpoints', problem: problem(name) })) },
      });
    },
  };
}

function isEndpointOf(endpoint: { readonly method: string | undefined; readonly path: string }, { methods, path }: LimitedRoute): boolean {
  return endpoint.path === path && (endpoint.method === undefined || methods.includes(endpoint.method));
}

function levelsOf(
  { levels }: LevelPolicies,
  endpoints: readonly EndpointPolicies[],
  isModelCall: boolean,
  tierOf: (principal: Principal) => readonly LimitPolicy[],
): LevelsOfRoute {
  return (principal, address) => {
    const takes: BucketTake[] = [];
    if (principal === null) {
      add(takes, levels.global, 'everybody');
      add(takes, levels.ip, address);
    } else {
      if (!isModelCall) add(takes, levels.global, 'everybody');
      if (principal.userId !== undefined) add(takes, levels.user, principal.userId);
      add(takes, levels.key, principal.keyId);
      add(takes, tierOf(principal), principal.organizationId);
    }
    for (const { per, policies } of endpoints) add(takes, policies, subjectOf(per, principal, address));
    return takes;
  };
}

function add(takes: BucketTake[], policies: readonly LimitPolicy[], key: string): void {
  for (const policy of policies) takes.push({ policy, key });
}

function subjectOf(per: EndpointSubject, principal: Principal | null, address: string): string {
  if (per === 'everybody') return per;
  if (principal === null || per === 'ip') return address;
  if (per === 'organization') return principal.organizationId;
  return (per === 'user' ? principal.userId : undefined) ?? principal.keyId;
}

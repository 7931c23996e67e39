import { tierPolicies, type LimitPolicy } from '@holdfast/kit/ratelimit';
import type { EndpointLimit, EndpointSubject, LevelLimit, LevelName, RequestLimitOptions } from './options.ts';

type Policies = readonly LimitPolicy[];

export interface EndpointPolicies {
  readonly per: EndpointSubject;
  readonly policies: Policies;
}

/** All policies of one configuration: made once, since whatever is remembered of a policy is remembered by the object. */
export interface LevelPolicies {
  readonly levels: Readonly<Record<LevelName, Policies>>;
  readonly tiers: ReadonlyMap<string, Policies>;
  /** In the order of the options. */
  readonly endpoints: readonly (EndpointLimit & EndpointPolicies)[];
}

export function createLevelPolicies({ shadow, levels, tiers, endpoints }: RequestLimitOptions): LevelPolicies {
  const policiesOf = (level: string, limit: LevelLimit): Policies =>
    tierPolicies(level, limit, { shadow: shadow || limit.shadow === true }).requests;
  const ofLevel = (name: LevelName): Policies => (levels[name] === undefined ? [] : policiesOf(name, levels[name]));
  const names = endpointNames(endpoints);
  return {
    levels: { global: ofLevel('global'), ip: ofLevel('ip'), user: ofLevel('user'), key: ofLevel('key') },
    // All tiers under one name: an organization that changes its tier goes on with the buckets that it has.
    tiers: new Map(Object.entries(tiers).map(([name, tier]) => [name, policiesOf('organization', tier)])),
    endpoints: endpoints.map((endpoint, at) => ({ ...endpoint, policies: endpoint.exempt ? [] : policiesOf(names[at]!, endpoint) })),
  };
}

/** Room for `-minute` and a number in the 64 characters of a policy's name. */
const longestSlug = 40;

/** A name of its own for each, since policies of one name share buckets: `endpoint-post-v1-embeddings`. Shown in header fields. */
function endpointNames(endpoints: readonly EndpointLimit[]): readonly string[] {
  const taken = new Set<string>();
  return endpoints.map(({ name }) => {
    const slug = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, longestSlug);
    let unique = `endpoint-${slug}`;
    for (let number = 2; taken.has(unique); number++) unique = `endpoint-${slug}-${number}`;
    taken.add(unique);
    return unique;
  });
}

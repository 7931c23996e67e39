import type { BucketTake } from '@holdfast/kit/ratelimit';
import { createAddTakes, type CallLevel, type CallRateLimits } from './call-rate-limits.ts';
import type { CallLimits } from './ports.ts';
import type { Principal } from './principal.ts';

/** The buckets of calls of models, for people who look: to be peeked at, never to be taken from. */
export interface CallBuckets {
  /** Those of a key and of its organization. Those of a model are everybody's. */
  ofCaller(principal: Principal): readonly BucketTake[];
  ofOrganization(organizationId: string, tier: string): readonly BucketTake[];
}

const noTokens = { prompt: 0, completion: 0 };

export function createCallBuckets(limits: CallLimits): CallBuckets {
  const enforced = createAddTakes(false);
  const inShadow = createAddTakes(true);
  const add = (to: BucketTake[], level: CallLevel, key: string, own: CallRateLimits | undefined): void => {
    if (own) (limits.current?.shadow ? inShadow : enforced)(to, level, own, key, noTokens);
  };
  return {
    ofCaller({ keyId, organizationId, organizationTier, rateLimits }) {
      const takes: BucketTake[] = [];
      if (limits.current === undefined) return takes;
      add(takes, 'key', keyId, rateLimits);
      add(takes, 'organization', organizationId, limits.current.organizationLimits({ organizationTier }));
      return takes;
    },
    ofOrganization(organizationId, organizationTier) {
      const takes: BucketTake[] = [];
      add(takes, 'organization', organizationId, limits.current?.organizationLimits({ organizationTier }));
      return takes;
    },
  };
}

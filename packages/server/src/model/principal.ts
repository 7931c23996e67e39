import type { CallRateLimits } from './call-rate-limits.ts';

/** What a key may do. `inference` calls models; the others are named after what they open. */
export const scopes = ['inference', 'usage:read', 'keys:write', 'audit:read', 'operator'] as const;

export type Scope = (typeof scopes)[number];

/** Who makes a call: the owner is read from the key alone, never from the request. */
export interface Principal {
  readonly organizationId: string;
  /** By which limits the organization's requests are counted: the name of a tier of the configuration. */
  readonly organizationTier: string;
  readonly keyId: string;
  /** The person behind the key, when it is somebody's own. */
  readonly userId: string | undefined;
  readonly scopes: ReadonlySet<Scope>;
  /** Model names that the key may ask for; undefined allows all. */
  readonly allowedModels: ReadonlySet<string> | undefined;
  /** What the key may use of models; undefined does not limit it. The same object for as long as the principal is. */
  readonly rateLimits?: CallRateLimits | undefined;
}

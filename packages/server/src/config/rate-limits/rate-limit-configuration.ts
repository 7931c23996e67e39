import type { Settings } from '../settings.ts';

/** What one bucket of a level holds. What is left out is not limited. */
export interface LevelConfiguration {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  /** Requests that may come at once; without it the minute's whole number may. */
  readonly burst?: number;
  /** Counts, logs and lets pass. */
  readonly shadow?: boolean;
}

/** What the organizations of a tier may do. */
export interface TierConfiguration extends LevelConfiguration {
  /** Tokens of models. */
  readonly tokensPerMinute?: number;
  /** Calls of models at once. */
  readonly concurrent?: number;
}

/** Levels beside the tier of the organization and the endpoint. Only `global` and `ip` limit without being configured. */
export type RateLimitLevelName = 'global' | 'ip' | 'user' | 'key';

/** Whose bucket an endpoint has: one for all, or one for each. Callers without a key are told apart by their address. */
export type EndpointSubject = 'everybody' | 'ip' | 'user' | 'key' | 'organization';

export interface EndpointLimitConfiguration extends LevelConfiguration {
  /** As it stands in the file: `POST /v1/embeddings`. */
  readonly name: string;
  /** Undefined: every method. */
  readonly method: string | undefined;
  /** The pattern of the route, such as `/api/keys/:id`. */
  readonly path: string;
  readonly per: EndpointSubject;
  /** Neither limited nor counted, on any level. */
  readonly exempt: boolean;
}

export type RateLimitConfiguration = Settings['rateLimits'] & {
  /** A level that is undefined does not exist. */
  readonly levels: Readonly<Record<RateLimitLevelName, LevelConfiguration | undefined>>;
  /** By name; always with `basic`, `pro`, `enterprise` and `unlimited`. */
  readonly tiers: Readonly<Record<string, TierConfiguration>>;
  readonly endpoints: readonly EndpointLimitConfiguration[];
};

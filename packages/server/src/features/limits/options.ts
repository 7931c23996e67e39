/** What one bucket of a level holds; what is left out is not limited. */
export interface LevelLimit {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  readonly burst?: number;
  readonly shadow?: boolean;
}

export type LevelName = 'global' | 'ip' | 'user' | 'key';

/** Whose bucket an endpoint has: one for all, or one for each. */
export type EndpointSubject = 'everybody' | 'ip' | 'user' | 'key' | 'organization';

export interface EndpointLimit extends LevelLimit {
  readonly name: string;
  /** Undefined: every method. */
  readonly method: string | undefined;
  /** The pattern of a route: `/api/keys/:id`. */
  readonly path: string;
  readonly per: EndpointSubject;
  readonly exempt: boolean;
}

export interface RequestLimitOptions {
  /** Puts every limit into shadow. */
  readonly shadow: boolean;
  readonly levels: Readonly<Record<LevelName, LevelLimit | undefined>>;
  /** With `basic`, which stands in for a tier that is not known. */
  readonly tiers: Readonly<Record<string, LevelLimit>>;
  readonly endpoints: readonly EndpointLimit[];
}

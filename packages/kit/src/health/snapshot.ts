/** `degraded` still does its work; `unhealthy` does not. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** The kinds that draft-inadarei-api-health-check names. */
export type ComponentType = 'component' | 'datastore' | 'system';

/** A number that says how well something is. */
export interface Measurement {
  /** In the terms of the draft: `utilization`, `responseTime`, `connections`, `uptime`, or one of your own. */
  readonly name: string;
  readonly value: number;
  /** `ms`, `percent`, `bytes`, … */
  readonly unit: string;
}

/** What a check may say beyond that it succeeded. */
export interface CheckResult {
  /** Default `healthy`. `unhealthy` of what is not critical shows as `degraded`. */
  readonly status?: HealthStatus;
  /** Fixed words: readiness is public. Never a host, a path or the text of an exception. Default `answers`. */
  readonly message?: string;
  /** In place of `message` where operators look; may name what is theirs to know. */
  readonly detail?: string;
  readonly measurement?: Measurement;
}

/** What is seen without asking: of the process itself, or of what real use has told. */
export type WatchedState = CheckResult & { readonly status: HealthStatus; readonly message: string };

/** One of several that a watch tells of. */
export type WatchedMember = WatchedState & { readonly name: string; readonly responseTimeMs?: number | null };

/** One dependency, or one side of the process. */
export interface ComponentHealth {
  readonly name: string;
  readonly status: HealthStatus;
  readonly message: string;
  /** Of the last check that ended, in milliseconds; null before it, and of what is not asked. */
  readonly responseTimeMs: number | null;
  readonly componentType: ComponentType;
  /** When this was found out, in Unix milliseconds; undefined before the first check has ended. */
  readonly checkedAt: number | undefined;
  readonly measurement: Measurement | undefined;
}

/** How everything was at one moment. A plain object: it survives `postMessage`. */
export interface HealthSnapshot {
  readonly status: HealthStatus;
  /** Unix milliseconds. */
  readonly at: number;
  readonly components: readonly ComponentHealth[];
}

const rank: Readonly<Record<HealthStatus, number>> = Object.freeze({ healthy: 0, degraded: 1, unhealthy: 2 });

export function worseOf(one: HealthStatus, other: HealthStatus): HealthStatus {
  return rank[one] >= rank[other] ? one : other;
}

import type { Clock, Random } from '../time/index.ts';
import type { CheckResult, ComponentType } from './snapshot.ts';

export interface HealthCheckOptions {
  /** Without it the process cannot do its work: readiness follows it. Others only degrade. */
  readonly critical: boolean;
  /**
   * Resolves when the dependency answers, rejects when not; may resolve with more to say than that. MUST stop when the signal is aborted;
   * may hang, it is not waited for. What it rejects with is never shown: the text of a driver's exception names hosts and users.
   */
  check(signal: AbortSignal): Promise<CheckResult | void>;
  /** For how long a good result holds: the time between two checks. Default: the registry's. */
  readonly intervalMs?: number;
  /** The same of a bad one. Default: the registry's. */
  readonly retryMs?: number;
  /** A check that takes longer counts as failed and is told to stop. Default: the registry's. */
  readonly timeoutMs?: number;
  /** What it is in `application/health+json`. Default `component`. */
  readonly componentType?: ComponentType;
}

export interface HealthRegistryOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Draws the jitter. Default: the system's. */
  readonly random?: Random;
  /** Between two checks of a dependency that works, in milliseconds. Default 60,000. */
  readonly intervalMs?: number;
  /** Between two checks of one that does not: how soon its recovery is seen. Default 1,000. */
  readonly retryMs?: number;
  /** A check that takes longer counts as failed. Default 1,000. */
  readonly timeoutMs?: number;
  /**
   * By how large a part of itself a wait may be shorter, at random, so that instances that started together do not ask together; 0 to 1.
   * Default 0.1.
   */
  readonly jitter?: number;
}

export const healthDefaults = Object.freeze({ intervalMs: 60_000, retryMs: 1_000, timeoutMs: 1_000, jitter: 0.1 });

/** Checks of one dependency that were given up and go on all the same. At this many none is begun: each may hold a connection. */
export const maxAbandonedChecks = 3;

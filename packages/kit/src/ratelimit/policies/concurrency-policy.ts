import { PolicyFaults, type ConcurrencyPolicy } from './policy.ts';

export interface ConcurrencyOptions {
  readonly name: string;
  /** How many at once. */
  readonly limit: number;
  /**
   * After this a lease ends by itself, for holders that died: longer than the longest call, or renew the lease. Default 660,000
   * (the longest model call and a minute).
   */
  readonly leaseMs?: number;
  /** What a refused one is told to wait. Default 1,000. */
  readonly retryAfterMs?: number;
  /** Default false. */
  readonly shadow?: boolean;
}

export const concurrencyDefaults = Object.freeze({ leaseMs: 660_000, retryAfterMs: 1_000, shadow: false } as const);

/** So many at once, whatever their rate. Throws `configuration_invalid`. */
export function concurrency(options: ConcurrencyOptions): ConcurrencyPolicy {
  const { name, limit, leaseMs, retryAfterMs, shadow } = { ...concurrencyDefaults, ...options };
  const faults = new PolicyFaults(name);
  faults.positiveInteger('limit', limit);
  faults.positiveInteger('leaseMs', leaseMs);
  faults.positiveInteger('retryAfterMs', retryAfterMs);
  faults.throwIfAny();
  return Object.freeze({
    kind: 'concurrency',
    name,
    id: `concurrency:${name}`,
    unit: 'concurrent-requests',
    shadow,
    limit,
    leaseMs,
    retryAfterMs,
  });
}

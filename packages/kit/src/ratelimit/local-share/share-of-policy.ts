import { concurrency, gcra, slidingWindow, type LimitPolicy } from '../policies/index.ts';

/**
 * One instance's share of a limit: the limit ÷ `instances`, rounded down, and at least 1, or a limit below the number of instances
 * would close everything. The rate of GCRA is divided exactly, by making its period longer.
 */
export function shareOfPolicy(policy: LimitPolicy, instances: number): LimitPolicy {
  if (instances === 1) return policy;
  const part = (limit: number): number => Math.max(1, Math.floor(limit / instances));
  switch (policy.kind) {
    case 'gcra': {
      const { name, limit, periodMs, burst, unit, shadow } = policy;
      return gcra({ name, limit, periodMs: periodMs * instances, burst: part(burst), unit: unit === 'tokens' ? unit : 'requests', shadow });
    }
    case 'window': {
      const { name, limit, windowMs, slots, unit, shadow } = policy;
      return slidingWindow({ name, limit: part(limit), windowMs, slots, unit: unit === 'tokens' ? unit : 'requests', shadow });
    }
    case 'concurrency': {
      const { name, limit, leaseMs, retryAfterMs, shadow } = policy;
      return concurrency({ name, limit: part(limit), leaseMs, retryAfterMs, shadow });
    }
  }
}

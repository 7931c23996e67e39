import { PolicyFaults, type GcraPolicy } from './policy.ts';

export interface GcraOptions {
  readonly name: string;
  /** Units a period that are let through in the long run: a whole number. */
  readonly limit: number;
  /** Default 60,000. */
  readonly periodMs?: number;
  /** Units that are let through at once after a rest. Default: `limit`. */
  readonly burst?: number;
  /** Default `requests`. */
  readonly unit?: 'requests' | 'tokens';
  /** Default false. */
  readonly shadow?: boolean;
}

export const gcraDefaults = Object.freeze({ periodMs: 60_000, unit: 'requests', shadow: false } as const);

/**
 * A steady rate with a burst, for requests or for tokens. In any interval of length t at most `burst + limit × t ÷ periodMs` units
 * are taken. Throws `configuration_invalid`.
 */
export function gcra(options: GcraOptions): GcraPolicy {
  const { name, limit, periodMs, burst = options.limit, unit, shadow } = { ...gcraDefaults, ...options };
  const faults = new PolicyFaults(name);
  faults.positiveInteger('limit', limit);
  faults.positiveInteger('periodMs', periodMs);
  faults.positiveInteger('burst', burst);
  faults.throwIfAny();
  const divisor = greatestCommonDivisor(limit, periodMs);
  const weight = periodMs / divisor;
  const drain = limit / divisor;
  // Half of what numbers can count, so that a bucket may also be overdrawn by as much as it holds.
  if (burst * weight > Number.MAX_SAFE_INTEGER / 2) {
    faults.add('burst', `so small that burst × ${weight} can be counted exactly (choose a rounder limit or a shorter period)`, burst);
    faults.throwIfAny();
  }
  return Object.freeze({ kind: 'gcra', name, id: `gcra:${name}`, unit, shadow, limit, periodMs, burst, weight, drain });
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

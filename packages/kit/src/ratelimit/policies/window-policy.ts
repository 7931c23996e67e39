import { PolicyFaults, type WindowPolicy } from './policy.ts';

export interface WindowOptions {
  readonly name: string;
  /** Units in any window: a whole number, or Infinity to count and refuse nothing. */
  readonly limit: number;
  readonly windowMs: number;
  /** Parts that the window is counted in, 1 to 60; room comes back up to `windowMs ÷ slots` late. Fewer need less memory. Default 60. */
  readonly slots?: number;
  /** Default `requests`. */
  readonly unit?: 'requests' | 'tokens';
  /** Default false. */
  readonly shadow?: boolean;
}

export const windowDefaults = Object.freeze({ slots: 60, unit: 'requests', shadow: false } as const);

const largestWindowMs = 31 * 24 * 3_600_000;

/** A window that slides: so many in any minute, hour or day. Throws `configuration_invalid`. */
export function slidingWindow(options: WindowOptions): WindowPolicy {
  const { name, limit, windowMs, slots, unit, shadow } = { ...windowDefaults, ...options };
  const faults = new PolicyFaults(name);
  if (limit !== Number.POSITIVE_INFINITY) faults.positiveInteger('limit', limit);
  faults.positiveInteger('windowMs', windowMs);
  if (windowMs > largestWindowMs) faults.add('windowMs', 'at most 31 days', windowMs);
  if (!Number.isInteger(slots) || slots < 1 || slots > 60 || slots > windowMs)
    faults.add('slots', 'a whole number from 1 to 60 (and to windowMs)', slots);
  faults.throwIfAny();
  return Object.freeze({ kind: 'window', name, id: `window:${name}:${windowMs}:${slots}`, unit, shadow, limit, windowMs, slots });
}

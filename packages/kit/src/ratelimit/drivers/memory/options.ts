import { HoldfastError } from '../../../errors/index.ts';
import type { Clock } from '../../../time/index.ts';

export interface MemoryDriverOptions {
  readonly clock: Clock;
  /**
   * Buckets in use of one policy that are remembered; beyond it, the least full of a few is forgotten for each new one. About 200
   * bytes each. Raise it where more distinct keys are limited at once. Default 100,000.
   */
  readonly maxBucketsPerPolicy?: number;
  /** How often idle buckets are looked for while nothing new comes. Default 10,000. */
  readonly sweepMs?: number;
}

export const memoryDriverDefaults = Object.freeze({ maxBucketsPerPolicy: 100_000, sweepMs: 10_000 });

export function readMemoryDriverOptions(options: MemoryDriverOptions): Required<MemoryDriverOptions> {
  const read = { ...memoryDriverDefaults, ...options };
  for (const field of ['maxBucketsPerPolicy', 'sweepMs'] as const) {
    if (!Number.isSafeInteger(read[field]) || read[field] < 1)
      throw new HoldfastError('configuration_invalid', { detail: `${field} must be a whole number of 1 or more, not ${read[field]}` });
  }
  return read;
}

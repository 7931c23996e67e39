import { HoldfastError } from '../../errors/index.ts';
import type { Clock } from '../../time/index.ts';
import type { SharedRateLimitDriver } from './shared-driver.ts';

export interface LocalShareOptions {
  readonly shared: SharedRateLimitDriver;
  readonly clock: Clock;
  /** The name of this instance among those that share the store: unique. */
  readonly instanceId: string;
  /** How long the store may take before it counts as away. Default 250. */
  readonly timeoutMs?: number;
  /** How often a store that is away is tried again. Default 1,000. */
  readonly probeMs?: number;
  /** How often this instance tells the store that it is there; after three that fail to come it is no more counted. Default 5,000. */
  readonly heartbeatMs?: number;
  /**
   * How many instances to share with before the store has ever answered: an instance that starts while the store is away. Set it to the
   * number of replicas. Default 1.
   */
  readonly assumedInstances?: number;
  /** Buckets in use of one policy that are remembered while the store is away. Default 100,000. */
  readonly maxBucketsPerPolicy?: number;
}

export const localShareDefaults = Object.freeze({
  timeoutMs: 250,
  probeMs: 1_000,
  heartbeatMs: 5_000,
  assumedInstances: 1,
  maxBucketsPerPolicy: 100_000,
});

export function readLocalShareOptions(options: LocalShareOptions): Required<LocalShareOptions> {
  const read = { ...localShareDefaults, ...options };
  for (const field of ['timeoutMs', 'probeMs', 'heartbeatMs', 'assumedInstances'] as const) {
    if (!Number.isSafeInteger(read[field]) || read[field] < 1)
      throw new HoldfastError('configuration_invalid', { detail: `${field} must be a whole number of 1 or more, not ${read[field]}` });
  }
  if (read.instanceId === '') throw new HoldfastError('configuration_invalid', { detail: 'instanceId must not be empty' });
  return read;
}

import { defineChannel } from '../events/index.ts';
import type { HealthStatus } from './snapshot.ts';

/** A dependency is in another state than before. Not told of the first check that succeeds: that is what everybody expects. */
export interface DependencyHealthChanged {
  readonly name: string;
  readonly critical: boolean;
  readonly status: HealthStatus;
  readonly before: HealthStatus;
  /** As operators see it. */
  readonly message: string;
}

export const dependencyHealthChanged = defineChannel<DependencyHealthChanged>('holdfast:health:dependency-changed');

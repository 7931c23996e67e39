import type { Awaitable, RateLimitDriver } from '../driver.ts';

/** A driver whose store is shared by instances, and knows how many there are. */
export interface SharedRateLimitDriver extends RateLimitDriver {
  /** A sign of life, good for `knownForMs`. Resolves to the number of instances that gave one. */
  reportInstance(instanceId: string, knownForMs: number): Awaitable<number>;
  /** The instance leaves. */
  forgetInstance(instanceId: string): Awaitable<void>;
}

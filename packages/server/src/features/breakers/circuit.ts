import type { BreakerStatus } from '@holdfast/kit/resilience';

/** What keeps calls away from something that fails, whatever it goes by. */
export interface Circuit {
  readonly name: string;
  readonly kind: 'model' | 'database' | 'redis';
  readonly status: CircuitStatus;
}

/** As a breaker of the kit has it; its settings only where it opens by counting. Times in Unix milliseconds. */
export type CircuitStatus = Pick<BreakerStatus, 'state' | 'byHand' | 'changedAt' | 'probeInMs' | 'failures' | 'windowCalls' | 'totals'> & {
  readonly lastFailure: { readonly at: number; readonly code: string } | undefined;
  readonly settings: Pick<BreakerStatus, 'mode' | 'threshold' | 'ratio' | 'windowMs' | 'recoveryMs'> | undefined;
};

/** What can be opened and closed by hand: one of the breakers of the kit. */
export interface BreakerDirectory {
  /** Their number is bounded. */
  breakers(): readonly MovableBreaker[];
  find(name: string): MovableBreaker | undefined;
}

export interface MovableBreaker {
  readonly name: string;
  status(): BreakerStatus;
  open(options?: { readonly recoveryMs?: number }): Promise<void>;
  close(): Promise<void>;
}

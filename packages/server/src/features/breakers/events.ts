import { defineChannel } from '@holdfast/kit/events';

/** An operator opened or closed a breaker. */
export interface BreakerMoved {
  readonly name: string;
  readonly action: 'open' | 'close';
  /** Undefined: until somebody closes it. */
  readonly forSeconds: number | undefined;
  readonly keyId: string;
  readonly organizationId: string;
  /** Whether the other instances have been told. */
  readonly shared: boolean;
}

export const breakerMoved = defineChannel<BreakerMoved>('holdfast:breakers:breaker-moved');

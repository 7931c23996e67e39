import { defineChannel } from '@holdfast/kit/events';

/** The thread that serves probes has ended by itself; another is started in a moment. */
export interface HealthThreadEnded {
  readonly error: unknown;
}

export const healthThreadEnded = defineChannel<HealthThreadEnded>('holdfast:health:thread-ended');

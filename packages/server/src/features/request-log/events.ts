import { defineChannel } from '@holdfast/kit/events';

export interface RequestsUnlogged {
  /** Requests that are missing from the request log since the last time that this was said. */
  readonly dropped: number;
  /** Why the last write failed, if one did. */
  readonly error: unknown;
}

/** Requests are missing from the request log: there were too many to be written, or the database refused them. Once a minute at most. */
export const requestsUnlogged = defineChannel<RequestsUnlogged>('holdfast:request-log:requests-unlogged');

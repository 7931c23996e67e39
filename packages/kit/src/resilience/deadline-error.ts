import { HoldfastError, isHoldfastError } from '../errors/index.ts';
import type { Clock } from '../time/index.ts';
import { callTimedOut } from './events.ts';
import type { ScopeOwner } from './scope.ts';

/** What a call ends with whose deadline has passed, wherever it was at that moment; `limitMs` is what was left of it there. */
export function deadlineExceeded(name: string, limitMs: number): HoldfastError {
  if (callTimedOut.hasSubscribers) callTimedOut.publish({ name, policy: 'deadline', limitMs });
  return new HoldfastError('deadline_exceeded', { detail: `${name}: the deadline of the call passed` });
}

export function deadlineOwner(name: string, clock: Clock): ScopeOwner {
  return { clock, expired: (limitMs) => deadlineExceeded(name, limitMs) };
}

/** Whether a call ended by a deadline of ours, and not because somebody lost interest. */
export function isDeadline(reason: unknown): boolean {
  return isHoldfastError(reason) && reason.code === 'deadline_exceeded';
}

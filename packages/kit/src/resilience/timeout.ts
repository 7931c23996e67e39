import { HoldfastError } from '../errors/index.ts';
import { systemClock, type Clock } from '../time/index.ts';
import { checkKeys, checkNumber } from './check-options.ts';
import { deadlineExceeded, deadlineOwner } from './deadline-error.ts';
import { callTimedOut } from './events.ts';
import type { Operation, Policy } from './policy.ts';
import { runInScope, type ScopeOwner } from './scope.ts';

export interface TimeoutOptions {
  /** For announcements and errors. Default `default`. */
  readonly name?: string;
  /** How long one attempt may take, in milliseconds. No default: nobody knows but you. */
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

/** setTimeout takes no more, and fires at once when it is given more. */
export const maxTimerMs = 2_147_483_647;

/**
 * Cancels an attempt that takes too long, and rejects at once with `operation_timeout`, also when the work does not
 * listen to its cancellation. No attempt goes on beyond the deadline of its call: then it is `deadline_exceeded`.
 */
export function timeout(options: TimeoutOptions): Policy {
  checkKeys('timeout', options, ['name', 'timeoutMs', 'clock']);
  const { name = 'default', clock = systemClock } = options;
  const timeoutMs = checkNumber('timeoutMs', options.timeoutMs, { min: 1, max: maxTimerMs });
  const ofDeadline = deadlineOwner(name, clock);
  const ofAttempt: ScopeOwner = {
    clock,
    expired() {
      if (callTimedOut.hasSubscribers) callTimedOut.publish({ name, policy: 'timeout', limitMs: timeoutMs });
      return new HoldfastError('operation_timeout', { detail: `${name}: the attempt took longer than ${timeoutMs} ms` });
    },
  };
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      const { deadlineAt } = context;
      if (deadlineAt === Number.POSITIVE_INFINITY) return runInScope(next, context, ofAttempt, timeoutMs, deadlineAt);
      const restMs = deadlineAt - clock.monotonic();
      if (restMs <= 0) return Promise.reject(deadlineExceeded(name, 0));
      if (restMs < timeoutMs) return runInScope(next, context, ofDeadline, restMs, deadlineAt);
      return runInScope(next, context, ofAttempt, timeoutMs, deadlineAt);
    };
  };
}

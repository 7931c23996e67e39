import { HoldfastError, isHoldfastError } from '../errors/index.ts';
import { systemClock, type Clock } from '../time/index.ts';
import { checkKeys, checkNumber } from './check-options.ts';
import { callTimedOut } from './events.ts';
import { start, type Operation, type Policy } from './policy.ts';
import { runInScope } from './scope.ts';
import { maxTimerMs } from './timeout.ts';

export interface DeadlineOptions {
  /** For announcements and errors. Default `default`. */
  readonly name?: string;
  /** How long the whole call may take, waits and retries included, in milliseconds. Default: only the caller's own deadline. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

/**
 * Bounds a whole call: hands the deadline down as `deadlineAt`, so that nobody waits for what cannot come in time, and
 * cancels everything with `deadline_exceeded` when it passes. An earlier deadline from outside stays the deadline.
 */
export function deadline(options: DeadlineOptions): Policy {
  checkKeys('deadline', options, ['name', 'deadlineMs', 'clock']);
  const { name = 'default', clock = systemClock } = options;
  const deadlineMs =
    options.deadlineMs === undefined
      ? Number.POSITIVE_INFINITY
      : checkNumber('deadlineMs', options.deadlineMs, { min: 1, max: maxTimerMs });
  const exceeded = (limitMs: number) => {
    if (callTimedOut.hasSubscribers) callTimedOut.publish({ name, policy: 'deadline', limitMs });
    return new HoldfastError('deadline_exceeded', { detail: `${name}: the deadline of ${Math.round(limitMs)} ms passed` });
  };
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      if (deadlineMs === Number.POSITIVE_INFINITY && context.deadlineAt === Number.POSITIVE_INFINITY) return start(next, context);
      const now = clock.monotonic();
      const deadlineAt = Math.min(now + deadlineMs, context.deadlineAt);
      const restMs = deadlineAt - now;
      if (restMs <= 0) return Promise.reject(exceeded(0));
      return runInScope(next, context, { clock, delayMs: Math.min(restMs, maxTimerMs), deadlineAt, reason: () => exceeded(restMs) });
    };
  };
}

/** Whether a cancellation came from a deadline of ours, and not from somebody who lost interest. */
export function isDeadline(reason: unknown): boolean {
  return isHoldfastError(reason) && reason.code === 'deadline_exceeded';
}

import { systemClock, type Clock } from '../time/index.ts';
import type { CallContext } from './call-context.ts';
import { checkKeys, checkNumber } from './check-options.ts';
import { deadlineExceeded, deadlineOwner } from './deadline-error.ts';
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
  const { name, clock, deadlineAtOf } = readDeadlineOptions(options);
  const owner = deadlineOwner(name, clock);
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      const deadlineAt = deadlineAtOf(context);
      if (deadlineAt === Number.POSITIVE_INFINITY) return start(next, context);
      const restMs = deadlineAt - clock.monotonic();
      if (restMs <= 0) return Promise.reject(deadlineExceeded(name, 0));
      return runInScope(next, context, owner, Math.min(restMs, maxTimerMs), deadlineAt);
    };
  };
}

/**
 * The same without a timer, where everything inside that waits looks at `deadlineAt` itself: a `timeout` around each
 * attempt, the queues and the back-off do. A call has one timer less that way, and timers are most of what it costs.
 */
export function markDeadline(options: DeadlineOptions): Policy {
  const { deadlineAtOf } = readDeadlineOptions(options);
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      const deadlineAt = deadlineAtOf(context);
      return start(next, deadlineAt === context.deadlineAt ? context : context.withCancellation(context.cancellation, deadlineAt));
    };
  };
}

function readDeadlineOptions(options: DeadlineOptions) {
  checkKeys('deadline', options, ['name', 'deadlineMs', 'clock']);
  const { name = 'default', clock = systemClock, deadlineMs } = options;
  if (deadlineMs === undefined) return { name, clock, deadlineAtOf: (context: CallContext) => context.deadlineAt };
  checkNumber('deadlineMs', deadlineMs, { min: 1, max: maxTimerMs });
  return { name, clock, deadlineAtOf: (context: CallContext) => Math.min(context.deadlineAt, clock.monotonic() + deadlineMs) };
}

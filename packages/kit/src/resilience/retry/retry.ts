import type { CallContext } from '../call-context.ts';
import { retryAbandoned, retryScheduled, type RetryEnd } from '../events.ts';
import { causeTraits, type FailureCause } from '../failure-cause.ts';
import { pause } from '../pause.ts';
import { start, type Operation, type Policy } from '../policy.ts';
import { retryAfterMsOf } from '../retry-after.ts';
import { backoffMs } from './backoff.ts';
import { readRetryOptions, type RetryOptions, type RetrySettings } from './options.ts';

/**
 * Tries again what may succeed when tried again, at the same target. The last failure that the target gave is passed on
 * as it is, so that its code and its `Retry-After` reach whoever asked.
 */
export function retry(options: RetryOptions = {}): Policy {
  const settings = readRetryOptions(options);
  const { budget } = settings;
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      budget.recordCall();
      return start(next, context).then(undefined, (error: unknown) => tryAgain(settings, next, context, error));
    };
  };
}

async function tryAgain<T>(settings: RetrySettings, next: Operation<T>, context: CallContext, firstError: unknown): Promise<T> {
  let error = firstError;
  let told = firstError;
  for (let attempt = 1; ; attempt++) {
    // Whoever asked has gone: what is told is why, and nothing is counted.
    if (context.cancellation.cancelled) throw error;
    const cause = settings.classify(error);
    // That our own breaker has opened meanwhile says less than why.
    if (cause !== 'refused') told = error;
    const plan = planRetry(settings, context, attempt, error, cause);
    if (typeof plan === 'string') {
      const { name } = settings;
      if (retryAbandoned.hasSubscribers) retryAbandoned.publish({ name, attempts: attempt, reason: plan, cause, error });
      throw told;
    }
    if (retryScheduled.hasSubscribers) retryScheduled.publish({ name: settings.name, attempt, delayMs: plan, cause, error });
    await pause(settings.clock, plan, context.cancellation);
    try {
      return await start(next, context.withAttempt(attempt + 1));
    } catch (nextError) {
      error = nextError;
    }
  }
}

/** The wait before the next attempt in milliseconds, or why there is none. The budget comes last: what is not sent is not taken. */
function planRetry(settings: RetrySettings, context: CallContext, attempt: number, error: unknown, cause: FailureCause): number | RetryEnd {
  if (context.committed) return 'committed';
  if (!causeTraits[cause].retriedOnSameTarget) return 'cause';
  if (attempt >= settings.attempts) return 'attempts';
  const { clock } = settings;
  const restMs = context.deadlineAt - clock.monotonic();
  const lowerBoundMs = retryAfterMsOf(error, () => clock.now());
  let delayMs = backoffMs(settings, attempt, settings.random);
  if (lowerBoundMs !== undefined) {
    if (lowerBoundMs >= restMs || lowerBoundMs > settings.maxRetryAfterMs) return 'retry_after';
    // On top of it, lest all who were told the same second come back in it; but never so late that it is in vain.
    delayMs = lowerBoundMs + Math.min(delayMs, (restMs - lowerBoundMs) / 2);
  } else if (delayMs >= restMs) {
    return 'deadline';
  }
  return settings.budget.tryTake() ? delayMs : 'budget';
}

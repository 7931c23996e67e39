import { isHoldfastError, toHoldfastError, type HoldfastError } from '@holdfast/kit/errors';
import type { AttemptNext } from '@holdfast/kit/llm';
import { causeTraits, classifyFailure } from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';
import type { AttemptJournal } from '../attempt-journal.ts';
import type { TargetRequest } from '../target-request.ts';
import { copyError } from './copy-error.ts';

/** Where attempts are raced: what a target said to one of them holds for all that follow in the call. */
export function noteRacedFailure(journal: AttemptJournal, target: string, error: unknown, now: number): void {
  const asked = isHoldfastError(error) ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  const failures = (journal.racedFailures ??= new Map());
  failures.set(target, { error, notBefore: Math.max(now + asked, failures.get(target)?.notBefore ?? 0) });
}

/**
 * Why a target is not to be asked in this call any more: it has been, as the spare of another, and failed in a way that is not tried again
 * there, or asked for a wait that is not over. Undefined where it may be asked.
 */
export function spentBy(journal: AttemptJournal, target: string, now: number): HoldfastError | undefined {
  const failure = journal.racedFailures?.get(target);
  if (failure === undefined) return undefined;
  const error = toHoldfastError(failure.error);
  return failure.notBefore > now || isFirm(error) ? error : undefined;
}

/** Whose failure ended the attempts at a target: that of a spare which found the request at fault ends them too. */
export function whoFailed<Target extends { readonly name: string }>(
  journal: AttemptJournal,
  asked: Target,
  targets: readonly Target[],
  error: HoldfastError,
): Target {
  const failures = journal.racedFailures;
  return (failures && targets.find(({ name }) => failures.get(name)?.error === error)) ?? asked;
}

/**
 * Around a race of two attempts at one target, inside of its retry: a race ends with one failure, but the other said something too. A
 * refusal ends the retries, and the longer of two waits is waited for.
 */
export function heedBoth(target: string, clock: Clock, next: AttemptNext<TargetRequest>): AttemptNext<TargetRequest> {
  return (request, sink) =>
    next(request, sink).then(undefined, (thrown: unknown) => {
      const failure = request.journal.racedFailures?.get(target);
      if (failure === undefined || request.cancellation.cancelled) throw thrown;
      const error = toHoldfastError(thrown);
      const other = toHoldfastError(failure.error);
      if (isFirm(other)) throw isFirm(error) ? error : other;
      const restSeconds = (failure.notBefore - clock.monotonic()) / 1_000;
      throw restSeconds > (error.retryAfterSeconds ?? 0) ? copyError(error, { retryAfterSeconds: restSeconds }) : error;
    });
}

function isFirm(error: HoldfastError): boolean {
  return !causeTraits[classifyFailure(error)].retriedOnSameTarget;
}

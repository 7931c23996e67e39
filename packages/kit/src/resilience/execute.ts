import { Cancellation } from '../time/index.ts';
import { beginCall, type CallContext } from './call-context.ts';
import type { Operation, Policy } from './policy.ts';
import { untilCancelled } from './scope.ts';

/** Work that is handed to a policy: it may also return, or throw, at once. */
export type Work<T> = (context: CallContext) => T | PromiseLike<T>;

export interface ExecuteOptions {
  /** The caller's: when it is aborted, everything is cancelled and the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The caller's, where it has one of ours and no signal. Not together with `signal`. */
  readonly cancellation?: Cancellation | undefined;
  /** When the call has to be over, in milliseconds on the monotonic scale of the policy's clock. Default: never. */
  readonly deadlineAt?: number | undefined;
  /** Which try of some retry outside of the policy it is, counted from 1: a breaker lets none but the first probe. Default 1. */
  readonly attempt?: number | undefined;
  /** 1 for the second request of a race outside of the policy, which waits in no queue. Default 0. */
  readonly branch?: number | undefined;
}

export type Execute = <T>(work: Work<T>, options?: ExecuteOptions) => Promise<T>;

/**
 * Applies a policy once, for all calls to come: what differs between them travels in their contexts. `endsAtOnce` says
 * that the innermost policy already settles when it is cancelled, whatever the work does.
 */
export function createExecute(policy: Policy, endsAtOnce = false): Execute {
  const chain = policy(endsAtOnce ? runWork : runWorkUntilCancelled);
  return <T>(work: Work<T>, options?: ExecuteOptions): Promise<T> => {
    if (options === undefined) return chain(beginCall(work)) as Promise<T>;
    const { signal, deadlineAt, cancellation, attempt, branch } = options;
    if (signal === undefined) return chain(beginCall(work, cancellation, deadlineAt, attempt, branch)) as Promise<T>;
    if (signal.aborted) return Promise.reject(signal.reason);
    return underSignal(chain, work, signal, cancellation, deadlineAt, attempt, branch) as Promise<T>;
  };
}

function underSignal(
  chain: Operation<unknown>,
  work: Work<unknown>,
  signal: AbortSignal,
  cancellation = new Cancellation(),
  deadlineAt?: number,
  attempt?: number,
  branch?: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onAbort = () => cancellation.cancel(signal.reason);
    signal.addEventListener('abort', onAbort);
    chain(beginCall(work, cancellation, deadlineAt, attempt, branch)).then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}

/** What the work returned, if that is a promise, without another around it. */
const runWork: Operation<unknown> = (context) => {
  try {
    return Promise.resolve(context.work());
  } catch (error) {
    return Promise.reject(error);
  }
};

/** The bottom of a policy: slots and probes above are given back at once also by work that does not listen. */
const runWorkUntilCancelled: Operation<unknown> = (context) => {
  const { cancellation } = context;
  if (cancellation.cancelled) return Promise.reject(cancellation.reason);
  return untilCancelled(runWork(context), cancellation);
};

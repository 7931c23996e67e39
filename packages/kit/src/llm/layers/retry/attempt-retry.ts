import { createExecute, llmRetryDefaults, retry, type RetryOptions } from '../../../resilience/index.ts';
import {
  AttemptError,
  type AttemptNext,
  type AttemptRequest,
  type AttemptResult,
  type RestartableSink,
  type TargetNext,
} from '../../spec/index.ts';

/** A provider that says for ever that it has yet another credential must not keep a call for ever. */
const maxCredentials = 100;

/**
 * Tries again at the same target what may succeed there, with the defaults for model calls: transient failures and
 * throttling after a back-off, within a budget, never before the wait that the target asked for; a credential that it refuses
 * with the next one of its list, at once and as part of the same try. Nothing once the reader may have a byte; before that, a
 * stream that broke off begins anew.
 *
 * The outermost layer of a target. Rejects with the last failure that the target itself gave.
 */
export function attemptRetry(
  options: RetryOptions = {},
): <Request extends AttemptRequest>(next: AttemptNext<Request>) => TargetNext<Request> {
  const execute = createExecute(retry({ ...llmRetryDefaults, ...options }), true);
  return <Request extends AttemptRequest>(next: AttemptNext<Request>): TargetNext<Request> =>
    (request, sink) =>
      execute((context) => {
        const { attempt } = context;
        return tryOnce(next, attempt === 1 ? request : { ...request, attempt }, sink, context, 1);
      }, request);
}

function tryOnce<Request extends AttemptRequest>(
  next: AttemptNext<Request>,
  request: Request,
  sink: RestartableSink,
  context: { commit(): boolean },
  credential: number,
): Promise<AttemptResult> {
  return next(request, sink).then(undefined, (error: unknown) => {
    if (sink.begun) {
      context.commit();
      throw error;
    }
    sink.abandon();
    const another = error instanceof AttemptError && error.otherCredential && credential < maxCredentials;
    if (!another || request.cancellation.cancelled) throw error;
    return tryOnce(next, request, sink, context, credential + 1);
  });
}

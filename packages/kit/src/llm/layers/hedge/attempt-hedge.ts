import { createHedgeTrigger, type HedgeOptions, type HedgeTrigger } from '../../../resilience/index.ts';
import type { Clock } from '../../../time/index.ts';
import type { AttemptRequest, AttemptResult, AttemptSink } from '../../spec/index.ts';
import { AttemptRace } from './attempt-race.ts';

export interface AttemptHedgeOptions extends HedgeOptions {
  readonly clock: Clock;
  /** For announcements: the model, or the target. */
  readonly name: string;
}

type Next<Request extends AttemptRequest> = (request: Request, sink: AttemptSink) => Promise<AttemptResult>;

/**
 * Makes a second attempt when the first one's first event (or, of a plain answer, all of it) takes longer than it mostly does at
 * this target. The first to give one is the answer, and the other is cancelled with `hedge_lost` in the same moment: not a
 * byte of it goes on. What is usual is learnt by kind of answer, since a stream begins long before a plain answer is whole.
 *
 * `spareOf` is asked when a second attempt is due, and says where it goes: to another target, or once more to `next` itself.
 * What it returns is called with the same request, so it has to put in its own model; undefined for nowhere. A failure
 * before the second attempt is the failure of both; after it, the call fails when both have, or when one says that the request is at fault.
 */
export function attemptHedge(options: AttemptHedgeOptions) {
  const { clock, name, ...numbers } = options;
  const triggers = new Map<string, HedgeTrigger>();
  const create = () => createHedgeTrigger({ ...numbers, clock, name });
  // Bad numbers are refused here, not at the first call.
  create();

  function triggerOf({ operation, stream }: AttemptRequest): HedgeTrigger {
    const kind = stream ? 'stream' : operation;
    let trigger = triggers.get(kind);
    if (!trigger) triggers.set(kind, (trigger = create()));
    return trigger;
  }

  return <Request extends AttemptRequest>(
    next: Next<Request>,
    spareOf: (request: Request) => Next<Request> | undefined = () => next,
  ): Next<Request> =>
    (request, sink) => {
      if (request.cancellation.cancelled) return Promise.reject(request.cancellation.reason);
      return new Promise((resolve, reject) => {
        new AttemptRace({ trigger: triggerOf(request), clock, name, next, spareOf, request, sink, resolve, reject }).begin();
      });
    };
}

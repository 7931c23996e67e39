import type { AttemptRequest, AttemptResult, AttemptSink, RestartableSink } from './attempt.ts';

/** One try at one target, as the layers around it see it. What else a caller puts on its requests reaches the innermost layer. */
export type AttemptNext<Request extends AttemptRequest = AttemptRequest> = (request: Request, sink: AttemptSink) => Promise<AttemptResult>;

/** A behaviour around an attempt. Layers compose from the outside in, as they are listed. */
export type AttemptLayer = <Request extends AttemptRequest>(next: AttemptNext<Request>) => AttemptNext<Request>;

/** One target with everything that may be tried at it: what may try again needs a sink that can begin again. */
export type TargetNext<Request extends AttemptRequest = AttemptRequest> = (
  request: Request,
  sink: RestartableSink,
) => Promise<AttemptResult>;

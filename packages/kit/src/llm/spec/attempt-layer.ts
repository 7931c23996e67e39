import type { AttemptRequest, AttemptResult, AttemptSink } from './attempt.ts';

/** One try at one target, as the layers around it see it. */
export type AttemptNext = (request: AttemptRequest, sink: AttemptSink) => Promise<AttemptResult>;

/** A behaviour around an attempt. Layers compose from the outside in, as they are listed. */
export type AttemptLayer = (next: AttemptNext) => AttemptNext;

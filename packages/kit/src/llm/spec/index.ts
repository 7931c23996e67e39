export type { AttemptHead, AttemptRequest, AttemptResult, AttemptSink, PartialUse, Provider, RestartableSink } from './attempt.ts';
export { AttemptError, type AttemptErrorOptions } from './attempt-error.ts';
export {
  attemptFailed,
  callFinished,
  targetChosen,
  type AttemptFailed,
  type CallFinished,
  type CallOutcome,
  type TargetChosen,
} from './call-events.ts';
export { callTraced, type CallTraced, type TracedAttempt, type TracedLayer } from './call-trace.ts';
export type { Dialect, Operation } from './operation.ts';
export type { ShallowBody } from './shallow-body.ts';
export type { Usage } from './usage.ts';
export { editBody, type BodyEdits } from './edit-body.ts';
export { readShallowBody, type ShallowBodyLimits } from './read-shallow-body.ts';
export type { AttemptLayer, AttemptNext, TargetNext } from './attempt-layer.ts';

export type { AttemptHead, AttemptRequest, AttemptResult, AttemptSink, PartialUse, Provider } from './attempt.ts';
export { AttemptError, type AttemptErrorOptions } from './attempt-error.ts';
export type { Dialect, Operation } from './operation.ts';
export type { ShallowBody } from './shallow-body.ts';
export type { Usage } from './usage.ts';

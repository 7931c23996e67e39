export { defineChannel, type EventChannel } from './channel.ts';
export {
  httpErrorRaised,
  httpRequestFinished,
  httpRequestHandled,
  type HttpErrorRaised,
  type HttpRequestFinished,
} from './http-request.ts';
export { handOnAnnouncements } from './late-listeners.ts';
export { operationSlow, type OperationSlow } from './operation-slow.ts';
export type { RequestTrace } from './request-trace.ts';
export { defineScope, type EventScope } from './scope.ts';
export { runUpkeep, runWork, workEnded, workRun, type Work } from './work.ts';

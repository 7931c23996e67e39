export { defineChannel, type EventChannel } from './channel.ts';
export { httpErrorRaised, httpRequestFinished, type HttpErrorRaised, type HttpRequestFinished } from './http-request.ts';
export { operationSlow, type OperationSlow } from './operation-slow.ts';

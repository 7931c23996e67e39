export { defineChannel, type EventChannel } from './channel.ts';
export { httpErrorRaised, httpRequestFinished, type HttpErrorRaised, type HttpRequestFinished } from './http-request.ts';

import { httpRequestHandled } from '@holdfast/kit/events';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Lets statements and commands that the handler awaits be told as its own. A `preHandler` hook: what comes before it runs partly in callbacks
 * of the socket, which forget where they belong. Calls of models enter only when they are sampled: their path is the hot one.
 */
export function runInTrace(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const { trace } = request;
  if (trace === null || (!trace.sampled && request.routeOptions.url?.startsWith('/v1'))) return done();
  httpRequestHandled.run({ trace }, done);
}

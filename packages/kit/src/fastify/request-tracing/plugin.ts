import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { HoldfastError, isHoldfastError, type ErrorCategory, type ErrorCode } from '../../errors/index.ts';
import { httpRequestFinished, httpRequestHandled, type RequestTrace } from '../../events/index.ts';
import type { Tracing } from '../../telemetry/tracing/index.ts';
import { systemClock, type Clock } from '../../time/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null for requests that are not traced. */
    trace: RequestTrace | null;
  }
}

export interface RequestTracingOptions {
  readonly tracing: Tracing;
  /** Requests that get no trace. Default: those to `/health…` and `/metrics`. */
  readonly exempt?: (request: FastifyRequest) => boolean;
  /** The one that the tracing goes by. */
  readonly clock?: Clock;
}

interface Failure {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
}

// Asynchronous although it waits for nothing: what a synchronous plugin throws ends the process.
const plugin: FastifyPluginAsync<RequestTracingOptions> = async (app, { tracing, exempt = isForOperators, clock = systemClock }) => {
  if (tracing === undefined)
    throw new HoldfastError('configuration_invalid', { detail: 'requestTracing: the option `tracing` is missing' });
  const failures = new WeakMap<FastifyRequest, Failure>();
  const stop = tracing.listen();
  app.addHook('onClose', (_instance, done) => {
    stop();
    done();
  });
  app.decorateRequest('trace', null);
  app.addHook('onRequest', (request, reply, next) => {
    if (exempt(request)) return next();
    const trace = tracing.begin(request.headers);
    request.trace = trace;
    const startedAt = clock.monotonic();
    // Also of one whose client left, of which Fastify's own hooks say nothing.
    reply.raw.once('close', () => announce(request, reply, trace, clock.monotonic() - startedAt, failures.get(request)));
    next();
  });
  // Not sooner: a body arrives in callbacks of the socket, which forget where they belong.
  app.addHook('preHandler', (request, _reply, next) => {
    if (request.trace === null) return next();
    httpRequestHandled.run({ trace: request.trace }, next);
  });
  app.addHook('onError', (request, _reply, error, next) => {
    if (isHoldfastError(error)) failures.set(request, error.traits);
    next();
  });
};

/**
 * Traces the requests of a Fastify 5 app: each becomes a span by the HTTP conventions with all that ran in it, and `request.trace` says where
 * it stands. Listens for as long as the app is open; closing the tracing, which sends what is left, is the caller's.
 */
export const requestTracing = Object.assign(plugin, {
  // The hooks are for the whole app and not only for what is declared inside of the plugin.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@holdfast/kit/fastify requestTracing',
  [Symbol.for('plugin-meta')]: { fastify: '5.x', name: '@holdfast/kit/fastify requestTracing' },
});

function isForOperators(request: FastifyRequest): boolean {
  const pattern = request.routeOptions.url ?? '';
  return pattern === '/metrics' || pattern === '/health' || pattern.startsWith('/health/');
}

function announce(
  request: FastifyRequest,
  reply: FastifyReply,
  trace: RequestTrace,
  latencyMs: number,
  failure: Failure | undefined,
): void {
  const gone = !reply.raw.writableFinished;
  const url = request.raw.url ?? '';
  const query = url.indexOf('?');
  httpRequestFinished.publish({
    requestId: request.id,
    method: request.method,
    route: request.is404 ? undefined : request.routeOptions.url,
    path: query < 0 ? url : url.slice(0, query),
    status: gone ? 499 : reply.raw.statusCode,
    latencyMs,
    requestBytes: 0,
    responseBytes: 0,
    client: '[ip]',
    organizationId: undefined,
    keyId: undefined,
    userId: undefined,
    traceId: trace.traceId,
    errorCode: gone ? 'client_closed' : failure?.code,
    errorCategory: gone ? 'timeout' : failure?.category,
    notes: undefined,
    trace,
  });
}

import { httpErrorRaised } from '@holdfast/kit/events';
import { HoldfastError } from '@holdfast/kit/errors';
import type { LimitStep } from '@holdfast/kit/fastify';
import { headerFields } from '@holdfast/kit/ratelimit';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { discardBody } from './discard-body.ts';
import { errorShapeOf, toErrorResponse } from './error-shape.ts';
import { toRefusal, type Refusal } from './refusal.ts';
import { securityHeaders } from './security-headers.ts';
import { fromThrown } from './thrown.ts';

export interface ErrorHandlerOptions {
  readonly clock: Clock;
  readonly onRefusal?: ((refusal: Refusal) => void) | undefined;
}

/** Answers whatever was thrown in the shape of its route, and tells the log what the client does not see. */
export function createErrorHandler({ clock, onRefusal }: ErrorHandlerOptions) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const error = fromThrown(thrown, request);
    request.failure = error.traits;
    announce(error, request);
    onRefusal?.(toRefusal(request, error));
    // Fastify closes after every error of the body, but one that was read to its end leaves the connection in order.
    if (request.raw.complete && error.code !== 'draining') reply.removeHeader('connection');
    if (reply.getHeader('connection') === 'close' && !request.raw.complete) {
      void discardBody(request.raw, clock).then(() => answer(error, request, reply, clock));
    } else {
      answer(error, request, reply, clock);
    }
  };
}

function answer(error: HoldfastError, request: FastifyRequest, reply: FastifyReply, clock: Clock): void {
  if (reply.sent) return;
  // The route's own path where there is one: `/%76%31/messages` is found as `/v1/messages`, and its client is the same.
  const url = (request.is404 ? undefined : request.routeOptions?.url) ?? request.raw.url ?? '';
  const { status, headers, body } = toErrorResponse(error, errorShapeOf(url, request.headers), {
    requestId: request.id,
    nowMs: clock.now(),
    traceId: request.trace?.traceId,
  });
  // A string, so that no response schema of the route is applied to it.
  reply.code(status).headers(headers).type('application/json; charset=utf-8').serializer(asItIs).send(JSON.stringify(body));
}

const asItIs = (payload: unknown) => payload as string;

function announce(error: HoldfastError, request: FastifyRequest): void {
  if (!httpErrorRaised.hasSubscribers) return;
  httpErrorRaised.publish({
    requestId: request.id,
    method: request.method,
    route: request.is404 ? undefined : request.routeOptions?.url,
    code: error.code,
    category: error.category,
    logLevel: error.traits.logLevel,
    error,
    organizationId: request.principal?.organizationId,
    keyId: request.principal?.keyId,
    userId: request.principal?.userId,
    traceId: request.trace?.traceId,
  });
}

/**
 * `open` may refuse the request for another reason, which then stands, and so may `limit`.
 *
 * For faults that Fastify finds before a route is chosen, such as a path that does not decode. No hook runs for them, so
 * the headers that hooks give are given here.
 */
export function createFrameworkErrorHandler(
  handle: ReturnType<typeof createErrorHandler>,
  open: (request: FastifyRequest, reply: FastifyReply) => HoldfastError | undefined,
  limit: LimitStep,
) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    // These requests have not the members that others were given up front.
    request.principal = null;
    request.rateLimitDecision = null;
    const refusal = open(request, reply);
    reply.headers(securityHeaders).header('x-request-id', request.id);
    if (refusal) return handle(refusal, request, reply);
    limit(request, reply, (limited) => {
      if (request.rateLimitDecision !== null) reply.headers(headerFields(request.rateLimitDecision));
      handle(limited ?? thrown, request, reply);
    });
  };
}

/** 404, or 405 with `allow` where the path answers other methods. Thrown from the first hook, before a byte of the body is read. */
export function refuseUnknownRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  allowedMethods: (path: string) => string[],
): HoldfastError {
  const url = request.raw.url ?? '';
  const query = url.indexOf('?');
  const allowed = allowedMethods(query < 0 ? url : url.slice(0, query));
  if (allowed.length === 0) return new HoldfastError('route_not_found');
  reply.header('allow', allowed.join(', '));
  return new HoldfastError('method_not_allowed', { details: { allow: allowed } });
}

/** Every 404 has been answered by the first hook; this is what Fastify calls if that ever changes. */
export function setUnknownRouteHandler(app: FastifyInstance): void {
  app.setNotFoundHandler(() => {
    throw new HoldfastError('route_not_found');
  });
}

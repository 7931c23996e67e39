import type { ErrorCategory, ErrorCode } from '@holdfast/kit/errors';
import type { RequestTrace } from '@holdfast/kit/events';
import type { Decision } from '@holdfast/kit/ratelimit';
import type { ClientIp } from '@holdfast/kit/security';
import type { FastifyInstance } from 'fastify';
import type { Principal, Scope } from '../../model/index.ts';

/** Who may use a route: everybody, every valid key, or a key with the scope. */
export type Access = 'public' | 'authenticated' | Scope;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route whose `access` is not `public`, before its handler runs; null elsewhere. */
    principal: Principal | null;
    /**
     * Who sent the request: the other end of the connection, or whom a trusted proxy names. The one address for log, bans and limits;
     * never read a forwarding header anywhere else.
     */
    client: ClientIp;
    /** Null while tracing is off, and for health and metrics. */
    trace: RequestTrace | null;
    /** Why the key that it showed was refused. */
    keyFault: ErrorCode | null;
    /** When the request arrived, on the monotonic clock, in milliseconds. */
    receivedAtMs: number;
    /** What the request failed with, for its log line and metrics. Set by whoever writes an error past the error handler. */
    failure: RequestFailure | null;
    /** What the limits said, as far as they were asked, for the header fields: as `@holdfast/kit/fastify` declares it. */
    rateLimitDecision: Decision | null;
    /** What the route adds to the log line of the request, snake_case. */
    notes: Readonly<Record<string, string | number | boolean>> | null;
  }
  interface FastifyReply {
    /**
     * Headers that every answer has (request id, security, CORS, draining), as name, value, name, value, …, for a handler that has
     * hijacked the reply and calls `raw.writeHead` itself. The array is the caller's own to extend.
     */
    rawHeaders(): string[];
  }
  interface FastifyContextConfig {
    /** Who may use the route. Every route under `/api` and `/v1` MUST say so. */
    access?: Access;
    /** Errors of the route beyond those that every such route has; shown in the API description. */
    errors?: readonly ErrorCode[];
  }
}

export interface RequestFailure {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
}

/** Gives every request object its members up front, so that all share one hidden class. */
export function decorateRequests(app: FastifyInstance): void {
  app.decorateRequest('principal', null);
  app.decorateRequest('keyFault', null);
  app.decorateRequest('client', null as never);
  app.decorateRequest('trace', null);
  app.decorateRequest('receivedAtMs', 0);
  app.decorateRequest('failure', null);
  app.decorateRequest('notes', null);
  app.decorateRequest('rateLimitDecision', null);
}

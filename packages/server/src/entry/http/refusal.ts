import type { ErrorCode, HoldfastError } from '@holdfast/kit/errors';
import type { ClientIp } from '@holdfast/kit/security';
import type { FastifyRequest } from 'fastify';
import type { Initiator } from '../../platform/audit/index.ts';
import { initiatorOf } from './initiator.ts';
import { readSecret } from './access.ts';

/** A request that was answered with an error, for those who look for abuse. */
export interface Refusal {
  readonly code: ErrorCode;
  /** No route answers this method on this path; also when a limit on requests said so first. */
  readonly unknownRoute: boolean;
  /** Why its key was refused; also when a limit on requests was what it was told. */
  readonly keyFault: ErrorCode | undefined;
  readonly client: ClientIp;
  /** Without its query. */
  readonly path: string;
  /** What was shown as a key, whether or not anybody looked at it. A secret: compare it, never keep it. */
  readonly secret: string | undefined;
  /** Whether the key was looked at and is good. */
  readonly authenticated: boolean;
  readonly userAgent: string | undefined;
  readonly method: string;
  /** The pattern of the route; undefined where none was found. */
  readonly route: string | undefined;
  /** It had become a call of a model, whose layers refused it or failed. */
  readonly isModelCall: boolean;
  /** Of the key, where it is good. */
  readonly organizationId: string | undefined;
  readonly initiator: Initiator;
  /** It came with a header in which proxies name a client, whether or not that was believed. */
  readonly forwarded: boolean;
}

export function toRefusal(request: FastifyRequest, error: HoldfastError): Refusal {
  const url = request.raw.url ?? '';
  const query = url.indexOf('?');
  return {
    code: error.code,
    unknownRoute: error.code === 'route_not_found' || request.is404,
    // These two are missing where Fastify failed before it had decorated the request: for a path that does not decode.
    keyFault: request.keyFault ?? undefined,
    client: request.client,
    path: query < 0 ? url : url.slice(0, query),
    secret: readSecret(request.headers),
    authenticated: Boolean(request.principal),
    userAgent: request.headers['user-agent'],
    method: request.method,
    route: request.is404 ? undefined : request.routeOptions?.url,
    isModelCall: request.notes?.['call_id'] !== undefined,
    organizationId: request.principal?.organizationId,
    initiator: initiatorOf(request),
    forwarded: request.headers['x-forwarded-for'] !== undefined || request.headers['forwarded'] !== undefined,
  };
}

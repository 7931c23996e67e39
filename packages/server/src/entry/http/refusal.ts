import type { ErrorCode, HoldfastError } from '@holdfast/kit/errors';
import type { ClientIp } from '@holdfast/kit/security';
import type { FastifyRequest } from 'fastify';
import { readSecret } from './access.ts';

/** A request that was answered with an error, for those who look for abuse. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly client: ClientIp;
  /** Without its query. */
  readonly path: string;
  /** What was shown as a key, whether or not anybody looked at it. A secret: compare it, never keep it. */
  readonly secret: string | undefined;
  /** Whether the key was looked at and is good. */
  readonly authenticated: boolean;
  readonly userAgent: string | undefined;
}

export function toRefusal(request: FastifyRequest, error: HoldfastError): Refusal {
  const url = request.raw.url ?? '';
  const query = url.indexOf('?');
  return {
    code: error.code,
    client: request.client,
    path: query < 0 ? url : url.slice(0, query),
    secret: readSecret(request.headers),
    // Undefined where Fastify failed before it had decorated the request.
    authenticated: Boolean(request.principal),
    userAgent: request.headers['user-agent'],
  };
}

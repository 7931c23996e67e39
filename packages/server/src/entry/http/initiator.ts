import type { FastifyRequest } from 'fastify';
import type { Initiator } from '../../platform/audit/index.ts';

/** Who sent a request, and from where, for the audit log. */
export function initiatorOf(request: FastifyRequest): Initiator {
  const { principal } = request;
  return {
    actor: principal ? { type: 'key', id: principal.keyId, userId: principal.userId } : { type: 'anonymous' },
    requestId: request.id,
    address: request.client.address.text,
    userAgent: request.headers['user-agent'],
  };
}

import { tighterDecision } from '@holdfast/kit/ratelimit';
import type { FastifyRequest } from 'fastify';
import type { ModelCall } from '../../model/index.ts';

/** Of the limits at the door and those of the call the client is told one: the one that binds. May be repeated. */
export function noteLimits(request: Pick<FastifyRequest, 'rateLimitDecision'>, { record: { limits } }: ModelCall): void {
  if (limits === undefined) return;
  const atTheDoor = request.rateLimitDecision;
  request.rateLimitDecision = atTheDoor === null ? limits : tighterDecision(limits, atTheDoor);
}

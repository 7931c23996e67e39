import { HoldfastError } from '@holdfast/kit/errors';
import type { ClientIp } from '@holdfast/kit/security';
import type { FastifyRequest } from 'fastify';
import { readSecret } from './access.ts';

/** What the door asks of whom a request comes from, before it looks at the key and reads a byte of the body. */
export interface BanCheck {
  /** From memory. Undefined lets pass, which is the hot path. */
  check(client: ClientIp): ClientBan | undefined;
}

export interface ClientBan {
  /** Until it ends; undefined when nobody knows. */
  readonly retryAfterSeconds: number | undefined;
  /** Whether this key is let through all the same. Absent when none is. Never rejects. */
  readonly passes?: (secret: string) => boolean | Promise<boolean>;
}

/** Refuses with `address_banned`, whatever the route and whatever the key, unless the key is one that passes. */
export function refuseBanned(ban: ClientBan, request: FastifyRequest, done: (refusal: HoldfastError | undefined) => void): void {
  const secret = ban.passes && readSecret(request.headers);
  const passes = secret === undefined ? false : ban.passes!(secret);
  if (typeof passes === 'boolean') done(passes ? undefined : bannedError(ban));
  else void passes.then((passed) => done(passed ? undefined : bannedError(ban)));
}

export function bannedError({ retryAfterSeconds }: ClientBan): HoldfastError {
  return new HoldfastError('address_banned', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

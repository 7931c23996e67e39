import type { LimitStep } from '@holdfast/kit/fastify';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import type { ClientIp } from '@holdfast/kit/security';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal, Scope } from '../../model/index.ts';
import type { Access } from './request-context.ts';
import { limitStepOf, unlimited, type RequestLimits } from './request-limits.ts';

/**
 * Who holds the secret. Throws or rejects with `key_malformed`, `key_unknown`, `key_expired` or `key_revoked`. Answering
 * at once, without a promise, is the hot path.
 */
export type Authenticate = (secret: string) => Principal | Promise<Principal>;

/** The key of a request: `Authorization: Bearer …` as OpenAI's SDKs send it, or `x-api-key` as Anthropic's do. */
export function readSecret(headers: IncomingHttpHeaders): string | undefined {
  const authorization = headers.authorization;
  if (authorization !== undefined && authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === 'bearer ') {
    const secret = authorization.slice(7).trim();
    if (secret !== '') return secret;
  }
  const key = headers['x-api-key'];
  return typeof key === 'string' && key !== '' ? key : undefined;
}

/**
 * An `onRequest` hook that lets only keys with the scope pass, before a byte of the body is read. The step of the limits comes once it is known who asks,
 * also for those who are refused: by their key, or by their address when it is none.
 */
function requireScope(
  authenticate: Authenticate,
  scope: Scope | 'authenticated',
  limit: LimitStep,
  onAuthenticated: ((client: ClientIp) => void) | undefined,
): onRequestHookHandler {
  return (request, reply, done) => {
    const refuse = (refusal: unknown): void => {
      // That a key cannot be looked up is no failure of whoever sent it.
      if (isHoldfastError(refusal)) {
        if (refusal.category !== 'authentication') return done(refusal);
        request.keyFault = refusal.code;
      }
      limit(request, reply, (error) => done(error ?? (refusal as Error)));
    };
    const admit = (principal: Principal): void => {
      // Also when it is refused: the log line of a refusal says whose key it was.
      request.principal = principal;
      onAuthenticated?.(request.client);
      if (scope === 'authenticated' || principal.scopes.has(scope)) return limit(request, reply, done);
      limit(request, reply, (error) => done(error ?? new HoldfastError('scope_missing', { details: { scope } })));
    };
    const secret = readSecret(request.headers);
    if (secret === undefined) return refuse(new HoldfastError('key_missing'));
    let answer: Principal | Promise<Principal>;
    try {
      answer = authenticate(secret);
    } catch (thrown) {
      return refuse(thrown);
    }
    if (answer instanceof Promise) answer.then(admit, refuse);
    else admit(answer);
  };
}

/**
 * Gives each route the check that its `config.access` asks for, and the step of the limits. A route of the API without one is refused at start:
 * a forgotten check must not become an open door. MUST be called before routes are added.
 */
export function enforceAccess(
  app: FastifyInstance,
  authenticate: Authenticate,
  limits: RequestLimits | undefined,
  onAuthenticated: ((client: ClientIp) => void) | undefined,
): void {
  const checks = new WeakSet<onRequestHookHandler>();
  app.addHook('onRoute', (route) => {
    const own = route.onRequest === undefined ? [] : [route.onRequest].flat();
    // Fastify derives a HEAD route from each GET route after this hook has run on it.
    if (own.some((hook) => checks.has(hook))) return;
    const access: Access | undefined = route.config?.access;
    if (access === undefined && /^\/(?:api|v1)(?:\/|$)/.test(route.url)) {
      throw new HoldfastError('internal_error', {
        detail: `route ${String(route.method)} ${route.url} does not say who may use it: set config.access`,
      });
    }
    const limit = limitStepOf(limits, { methods: [route.method].flat(), path: route.url, access: access ?? 'public' });
    const check =
      access === undefined || access === 'public'
        ? limit && asHook(limit)
        : requireScope(authenticate, access, limit ?? unlimited, onAuthenticated);
    if (check === undefined) return;
    checks.add(check);
    route.onRequest = [check, ...own];
  });
}

function asHook(limit: LimitStep): onRequestHookHandler {
  return (request, reply, done) => limit(request, reply, done);
}

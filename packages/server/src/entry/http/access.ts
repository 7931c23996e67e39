import { HoldfastError } from '@holdfast/kit/errors';
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal, Scope } from '../../model/index.ts';
import type { Access } from './request-context.ts';

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

/** An `onRequest` hook that lets only keys with the scope pass, before a byte of the body is read. */
export function requireScope(authenticate: Authenticate, scope: Scope | 'authenticated'): onRequestHookHandler {
  return (request, _reply, done) => {
    const secret = readSecret(request.headers);
    if (secret === undefined) return done(new HoldfastError('key_missing'));
    let answer: Principal | Promise<Principal>;
    try {
      answer = authenticate(secret);
    } catch (thrown) {
      return done(thrown as Error);
    }
    if (answer instanceof Promise) answer.then((principal) => done(admit(request, principal, scope)), done);
    else done(admit(request, answer, scope));
  };
}

function admit(request: FastifyRequest, principal: Principal, scope: Scope | 'authenticated'): HoldfastError | undefined {
  // Also when it is refused: the log line of a refusal says whose key it was.
  request.principal = principal;
  if (scope === 'authenticated' || principal.scopes.has(scope)) return undefined;
  return new HoldfastError('scope_missing', { details: { scope } });
}

/**
 * Gives each route the check that its `config.access` asks for. A route of the API without one is refused at start:
 * a forgotten check must not become an open door. MUST be called before routes are added.
 */
export function enforceAccess(app: FastifyInstance, authenticate: Authenticate): void {
  const checks = new Map<Access, onRequestHookHandler>();
  app.addHook('onRoute', (route) => {
    const access = route.config?.access;
    if (access === undefined) {
      if (/^\/(?:api|v1)(?:\/|$)/.test(route.url)) {
        throw new HoldfastError('internal_error', {
          detail: `route ${String(route.method)} ${route.url} does not say who may use it: set config.access`,
        });
      }
      return;
    }
    if (access === 'public') return;
    let check = checks.get(access);
    if (!check) checks.set(access, (check = requireScope(authenticate, access)));
    const own = route.onRequest === undefined ? [] : [route.onRequest].flat();
    // Fastify derives a HEAD route from each GET route after this hook has run on it.
    if (!own.includes(check)) route.onRequest = [check, ...own];
  });
}

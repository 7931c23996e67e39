import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { HoldfastError, isHoldfastError, toEnvelopeBody, toHoldfastError } from '../../errors/index.ts';
import { createMemoryDriver, createRateLimiter, headerFields, type RateLimiter } from '../../ratelimit/index.ts';
import type { Clock } from '../../time/index.ts';
import { createLimitStep } from './limit-step.ts';
import { rateLimitDefaults, type LevelsOfRequest, type RateLimitOptions } from './options.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's own levels, in place of those of the app; `false` does not limit it. */
    rateLimits?: LevelsOfRequest | false;
  }
}

// Asynchronous although it waits for nothing: what a synchronous plugin throws ends the process.
const plugin: FastifyPluginAsync<RateLimitOptions> = async (app, given) => {
  const options = { ...rateLimitDefaults, ...given };
  const limiter = options.limiter ?? ownLimiter(app, options.clock);
  const isExempt = exemptionOf(options.exempt);
  const step = createLimitStep({ limiter, levels: levelsByRoute(options.levels, isExempt), shadow: options.shadow });

  app.decorateRequest('rateLimitDecision', null);
  app.addHook(options.hook as 'onRequest', (request, reply, next) => {
    step(request, reply, (error) => {
      if (error === undefined) return next();
      const refused = isHoldfastError(error) && error.code === 'rate_limited';
      if (!refused && options.whenUnavailable === 'let-through') return next();
      if (options.refusals === 'throw') return next(error);
      answer(toHoldfastError(error), request, reply, options.clock);
    });
  });
  app.addHook('onSend', (request, reply, payload, next) => {
    const decision = request.rateLimitDecision;
    if (decision !== null) reply.headers(headerFields(decision));
    next(null, payload);
  });
};

/**
 * Limits requests of any Fastify 5 app, and of all its routes wherever they were declared: `app.register(rateLimit)`. Answers carry
 * `X-RateLimit-*`, `RateLimit`, `RateLimit-Policy` and, when refused, `Retry-After`. The limits themselves are those of
 * `@holdfast/kit/ratelimit`. Throws `configuration_invalid`.
 */
export const rateLimit = Object.assign(plugin, {
  // The hooks are for the whole app and not only for what is declared inside of the plugin.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@holdfast/kit/fastify rateLimit',
  [Symbol.for('plugin-meta')]: { fastify: '5.x', name: '@holdfast/kit/fastify rateLimit' },
});

function ownLimiter(app: FastifyInstance, clock: Clock): RateLimiter {
  const limiter = createRateLimiter({ driver: createMemoryDriver({ clock }) });
  app.addHook('onClose', (_instance, done) => {
    limiter.close();
    done();
  });
  return limiter;
}

/** A route that is its own, exempt, or as the app says. What is not found is limited like everything else: scanners live there. */
function levelsByRoute(levels: LevelsOfRequest, isExempt: (pattern: string) => boolean): LevelsOfRequest {
  return (request) => {
    const { url, config } = request.routeOptions;
    const own = config?.rateLimits;
    if (own === false) return [];
    if (own !== undefined) return own(request);
    return url !== undefined && isExempt(url) ? [] : levels(request);
  };
}

/** By the pattern of the route and not by the path, which can be written in many ways. */
function exemptionOf(exempt: readonly string[]): (pattern: string) => boolean {
  for (const pattern of exempt) {
    if (!/^\/[^*]*\*?$/.test(pattern))
      throw new HoldfastError('configuration_invalid', {
        detail: `exempt: expected a route such as /health or /health/*, received ${JSON.stringify(pattern)}`,
      });
  }
  const whole = new Set(exempt);
  const prefixes = exempt.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (pattern) => whole.has(pattern) || prefixes.some((prefix) => pattern.startsWith(prefix));
}

function answer(error: HoldfastError, request: FastifyRequest, reply: FastifyReply, clock: Clock): void {
  const body = toEnvelopeBody(error, { requestId: request.id, nowMs: clock.now() });
  if (body.error.retry_after !== undefined) reply.header('retry-after', String(body.error.retry_after));
  // A text, so that no response schema of the route is applied to it.
  void reply.code(error.status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

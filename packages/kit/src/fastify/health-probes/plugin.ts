import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { HoldfastError } from '../../errors/index.ts';
import { aliveAt, answerHealth, type HealthJsonNames, type HealthRegistry, type HealthSnapshot } from '../../health/index.ts';
import { systemClock, type Clock } from '../../time/index.ts';

export interface HealthProbesOptions {
  /** Whoever made it registers its checks and closes it. */
  readonly health: HealthRegistry;
  /** Where the probes are. Default `/health`. */
  readonly path?: string;
  /**
   * Who may see everything, such as your check of keys: an `onRequest` hook of `<path>/detailed`, which answers or throws for everybody else. Default:
   * there is no such route, since its words are not for everybody.
   */
  readonly detailed?: onRequestHookHandler;
  /** What `application/health+json` says of the service. */
  readonly names?: HealthJsonNames;
  /** Default: the system's. */
  readonly clock?: Clock;
}

// Asynchronous although it waits for nothing: what a synchronous plugin throws ends the process.
const plugin: FastifyPluginAsync<HealthProbesOptions> = async (app, options) => {
  const { health, path = '/health', detailed, names = {}, clock = systemClock } = options;
  if (!/^\/[\w/-]*\w$/.test(path))
    throw new HoldfastError('configuration_invalid', { detail: `path: expected one such as /health, received ${JSON.stringify(path)}` });

  // Before the port closes, and before `onClose` hooks close what the checks ask.
  app.addHook('preClose', (done) => {
    health.hold('stopping');
    done();
  });

  const get = (url: string, read: () => HealthSnapshot, more: { alwaysOk?: boolean; onRequest?: onRequestHookHandler } = {}): void => {
    const { alwaysOk = false, onRequest } = more;
    app.route({
      method: 'GET',
      url,
      // A probe that is refused for coming too often restarts a process that works.
      config: { rateLimits: false },
      ...(onRequest && { onRequest }),
      handler: (request: FastifyRequest, reply: FastifyReply) => {
        const { statusCode, headers, body } = answerHealth(read(), { accept: request.headers.accept, names, alwaysOk });
        // Bytes, so that neither a serializer of the app nor a charset is added.
        void reply.code(statusCode).headers(headers).send(Buffer.from(body));
      },
    });
  };
  for (const url of [path, `${path}/live`]) get(url, () => aliveAt(clock.now()));
  get(`${path}/ready`, () => health.readiness());
  if (detailed) get(`${path}/detailed`, () => health.snapshot(), { alwaysOk: true, onRequest: detailed });
};

/**
 * Probes for Kubernetes, load balancers and systemd in any Fastify 5 app: `/health` and `/health/live`, `/health/ready`, and `/health/detailed` for whom you say.
 * They answer from memory, and `ready` says 503 from the moment `app.close()` is called. Hooks of the app apply to them as to every route: exempt
 * them from your check of keys. Throws `configuration_invalid`.
 */
export const healthProbes = Object.assign(plugin, {
  [Symbol.for('fastify.display-name')]: '@holdfast/kit/fastify healthProbes',
  [Symbol.for('plugin-meta')]: { fastify: '5.x', name: '@holdfast/kit/fastify healthProbes' },
});

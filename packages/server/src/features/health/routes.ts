import { healthReport } from '@holdfast/contracts';
import { aliveAt, answerHealth, type HealthRegistry, type HealthSnapshot } from '@holdfast/kit/health';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';

export interface HealthRoutesOptions {
  readonly registry: HealthRegistry;
  readonly clock: Clock;
  /** Of Holdfast, for `application/health+json`. */
  readonly version: string;
}

const asksNobody = 'Asks no dependency, on purpose: a database that is away is no reason to restart this process.';
const detailed = 'Also what it can do without, which makes it `degraded` and leaves it ready. Answers from memory.';
const ready =
  '503 until every critical dependency has answered, while one does not, and while the server is stopping. Answers from memory.';

/**
 * `/health`, `/health/live` and `/health/ready`, in the form that Kubernetes and load balancers ask for; `/health/detailed` for operators. Under
 * `/api/health` the same for dashboards: `status` for everybody, `detailed` for operators.
 */
export function healthRoutes({ registry, clock, version }: HealthRoutesOptions): FastifyPluginAsync {
  const names = { releaseId: version };
  const send = (request: FastifyRequest, reply: FastifyReply, snapshot: HealthSnapshot, alwaysOk: boolean): void => {
    const { statusCode, headers, body } = answerHealth(snapshot, { accept: request.headers.accept, names, alwaysOk });
    // Bytes, so that no serializer looks at what is written already.
    void reply.code(statusCode).headers(headers).send(Buffer.from(body));
  };

  return async (app: FastifyInstance) => {
    for (const url of ['/health', '/health/live']) {
      app.route({
        method: 'GET',
        url,
        config: { access: 'public' },
        schema: { tags: ['Health'], summary: 'Whether the process answers', description: asksNobody, response: { 200: healthReport } },
        handler: (request, reply) => send(request, reply, aliveAt(clock.now()), false),
      });
    }
    app.route({
      method: 'GET',
      url: '/health/ready',
      config: { access: 'public' },
      schema: {
        tags: ['Health'],
        summary: 'Whether calls should be sent here',
        description: ready,
        response: { 200: healthReport, 503: healthReport },
      },
      handler: (request, reply) => send(request, reply, registry.readiness(), false),
    });
    app.route({
      method: 'GET',
      url: '/api/health/status',
      config: { access: 'public' },
      schema: {
        tags: ['Health'],
        summary: 'How the server fares',
        description:
          'What `/health/ready` says, for status pages: always 200, so that what asks reads the answer and not only its code. Answers from memory.',
        response: { 200: healthReport },
      },
      handler: (request, reply) => send(request, reply, registry.readiness(), true),
    });
    for (const url of ['/health/detailed', '/api/health/detailed']) {
      app.route({
        method: 'GET',
        url,
        config: { access: 'operator' },
        schema: {
          tags: ['Health'],
          summary: 'How everything fares that the server uses',
          description: detailed,
          response: { 200: healthReport },
        },
        handler: (request, reply) => send(request, reply, registry.snapshot(), true),
      });
    }
  };
}

import { healthReport, type HealthReport } from '@holdfast/contracts';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyPluginCallbackZod } from '@fastify/type-provider-zod';
import type { HealthRegistry } from './registry.ts';

export interface HealthRoutesOptions {
  readonly registry: HealthRegistry;
  readonly clock: Clock;
  /** Whether the server is stopping: it then is not ready, whatever its dependencies say. */
  isDraining(): boolean;
}

/** `/health`, `/health/live` and `/health/ready`, in the form that Kubernetes and load balancers ask for; `/health/detailed` for operators. */
export const healthRoutes: FastifyPluginCallbackZod<HealthRoutesOptions> = (app, { registry, clock, isDraining }, done) => {
  const common = { method: 'GET', config: { access: 'public' } } as const;
  const alive = (): HealthReport => ({ status: 'healthy', timestamp: new Date(clock.now()).toISOString(), dependencies: [] });
  const ready = (): HealthReport => {
    const report = registry.readiness();
    return isDraining() ? { ...report, status: 'unhealthy' } : report;
  };

  for (const url of ['/health', '/health/live']) {
    app.route({
      ...common,
      url,
      schema: {
        tags: ['Health'],
        summary: 'Whether the process answers',
        description: 'Asks no dependency, on purpose: a database that is away is no reason to restart this process.',
        response: { 200: healthReport },
      },
      handler: (_request, reply) => {
        void reply.header('cache-control', 'no-store').send(alive());
      },
    });
  }

  app.route({
    ...common,
    url: '/health/ready',
    schema: {
      tags: ['Health'],
      summary: 'Whether calls should be sent here',
      description:
        '503 until every critical dependency has answered, while one does not, and while the server is stopping. Answers from memory.',
      response: { 200: healthReport, 503: healthReport },
    },
    handler: (_request, reply) => {
      const report = ready();
      void reply
        .code(report.status === 'unhealthy' ? 503 : 200)
        .header('cache-control', 'no-store')
        .send(report);
    },
  });

  app.route({
    method: 'GET',
    url: '/health/detailed',
    config: { access: 'operator' },
    schema: {
      tags: ['Health'],
      summary: 'How everything fares that the server uses',
      description: 'Also what it can do without, which makes it `degraded` and leaves it ready. Answers from memory.',
      response: { 200: healthReport },
    },
    handler: (_request, reply) => {
      const report = registry.report();
      void reply.header('cache-control', 'no-store').send(isDraining() ? { ...report, status: 'unhealthy' } : report);
    },
  });
  done();
};

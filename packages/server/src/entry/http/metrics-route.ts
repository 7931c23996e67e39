import type { HttpApp } from './server.ts';

/** What the route needs of the metrics. */
export interface MetricsSource {
  readonly contentType: string;
  scrape(): Promise<string>;
}

export function addMetricsRoute(app: HttpApp, metrics: MetricsSource): void {
  app.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Metrics for Prometheus',
        description: 'In the text format of Prometheus.',
        tags: ['Operations'],
        produces: ['text/plain'],
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .header('cache-control', 'no-store')
        .send(await metrics.scrape()),
  );
}

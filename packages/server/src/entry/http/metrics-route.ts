import { HoldfastError } from '@holdfast/kit/errors';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readSecret } from './access.ts';
import type { HttpApp } from './server.ts';

/** What the route needs of the metrics. */
export interface MetricsSource {
  respond(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsRouteOptions {
  readonly metrics: MetricsSource;
  /** What has to be sent to read them; undefined leaves them open. */
  readonly token: string | undefined;
}

export function addMetricsRoute(app: HttpApp, { metrics, token }: MetricsRouteOptions): void {
  const isRight = token === undefined ? () => true : isSecret(token);
  app.get(
    '/metrics',
    {
      config: { access: 'public', errors: ['metrics_token_wrong'] },
      schema: {
        summary: 'Metrics for Prometheus',
        description:
          "In Prometheus's text format, or as OpenMetrics, with exemplars, where `Accept` asks for `application/openmetrics-text`. With `METRICS_TOKEN` set, that token has to be sent as `Authorization: Bearer`.",
        tags: ['Operations'],
        produces: ['text/plain', 'application/openmetrics-text'],
      },
    },
    async (request, reply) => {
      if (!isRight(readSecret(request.headers))) throw new HoldfastError('metrics_token_wrong');
      const { contentType, body } = await metrics.respond(request.headers.accept);
      return reply.type(contentType).header('cache-control', 'no-store').header('vary', 'accept').send(body);
    },
  );
}

/** In the same time whatever was sent: digests are of one length, and say nothing of how much was right. */
function isSecret(secret: string): (given: string | undefined) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given ?? ''), expected);
}

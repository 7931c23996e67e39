import {
  performanceReport,
  performanceReportQuery,
  storedMetricsQuery,
  storedMetricsReport,
  type PerformanceReport,
  type PerformanceReportQuery,
  type StoredMetricsQuery,
  type StoredMetricsReport,
} from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';

export interface PerformanceRoutesOptions {
  readonly stored: (windowMinutes: number) => Promise<StoredMetricsReport>;
  /** `limit` entries of each list at most. */
  readonly current: (windowMinutes: number, limit: number) => PerformanceReport;
}

/** `/api/health/metrics`, `/api/admin/metrics` and the same as `/admin/metrics`: for operators. */
export function performanceRoutes({ stored, current }: PerformanceRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/health/metrics',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags: ['Health'],
        summary: 'Metrics over time, of all instances',
        description:
          'Rates, quantiles, errors and resources by the minute, as they are kept in the database, across restarts. What other instances saw in the last 15 seconds may be missing.',
        querystring: storedMetricsQuery,
        response: { 200: storedMetricsReport },
      },
      handler: async (request, reply) => {
        void reply.header('cache-control', 'no-store');
        return stored((request.query as StoredMetricsQuery).window_minutes);
      },
    });

    for (const url of ['/api/admin/metrics', '/admin/metrics']) {
      app.route({
        method: 'GET',
        url,
        config: { access: 'operator', errors: ['invalid_request'] },
        schema: {
          tags: ['Operations'],
          summary: 'Where the time goes, and who uses it',
          description:
            'Of the instance that answers, from its memory: requests, model calls, queries and caches with their quantiles, and what organizations, people and keys used.',
          querystring: performanceReportQuery,
          response: { 200: performanceReport },
        },
        handler: async (request, reply) => {
          const { window_minutes, limit } = request.query as PerformanceReportQuery;
          void reply.header('cache-control', 'no-store');
          return current(window_minutes, limit);
        },
      });
    }
  };
}

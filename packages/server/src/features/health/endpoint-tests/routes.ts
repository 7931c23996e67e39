import { endpointTestReport, type EndpointTestReportBody } from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { AuditTrail, Initiator } from '../../../platform/audit/index.ts';
import type { EndpointTester } from './endpoint-tester.ts';

export interface EndpointTestRoutesOptions {
  readonly tester: EndpointTester;
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

/** `POST /api/health/test-endpoints`: for operators. */
export function endpointTestRoutes({ tester, audit, initiatorOf }: EndpointTestRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'POST',
      url: '/api/health/test-endpoints',
      config: { access: 'operator' },
      schema: {
        tags: ['Health'],
        summary: 'Have the server test its own routes',
        description:
          'Calls the routes of this description over HTTP: whether answers fit their schemas, whether requests without a good key are refused, and whether two organizations, which are made for it and thrown away, see nothing of each other. Calls no model and changes nothing else. Takes some seconds.',
        response: { 200: endpointTestReport },
      },
      handler: async (request, reply): Promise<EndpointTestReportBody> => {
        void reply.header('cache-control', 'no-store');
        const { startedAt, durationMs, leftoversRemoved, tests } = await tester.run();
        const count = (outcome: string): number => tests.filter((test) => test.outcome === outcome).length;
        const details = { passed: count('passed'), failed: count('failed') };
        await audit.record({ type: 'endpoints.tested', organizationId: null, by: initiatorOf(request), details });
        return {
          passed: count('passed'),
          failed: count('failed'),
          skipped: count('skipped'),
          started_at: new Date(startedAt).toISOString(),
          duration_ms: durationMs,
          leftovers_removed: leftoversRemoved,
          tests: tests.map((test) => ({ ...test })),
        };
      },
    });
  };
}

import { configurationState, reloadReport, type ConfigurationStateBody, type ReloadReportBody } from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Initiator } from '../../platform/audit/index.ts';
import type { ConfigurationService } from './configuration-service.ts';

export interface ConfigurationRoutesOptions {
  readonly service: ConfigurationService;
  /** The process that answers. */
  readonly instance: { readonly host: string; readonly pid: number };
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

const tags = ['Operations'];

/** `POST /api/reload` and `GET /api/configuration`: for operators, of the instance that answers. */
export function configurationRoutes({ service, instance, initiatorOf }: ConfigurationRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'POST',
      url: '/api/reload',
      config: { access: 'operator', errors: ['configuration_rejected'] },
      schema: {
        tags,
        summary: 'Reload the configuration',
        description:
          'Reads the configuration file and the files of secrets again, and puts providers, models, prices and limits in force, whole or not at all. ' +
          'Calls in progress go on with what they began with. Of this instance only; the same as `holdfast reload` and SIGHUP.',
        response: { 200: reloadReport },
      },
      handler: async (request): Promise<ReloadReportBody> => {
        const { keyId, organizationId } = request.principal!;
        const report = await service.reload({ kind: 'key', keyId, organizationId, initiator: initiatorOf(request) });
        return {
          result: report.result,
          changes: report.changes as unknown as ReloadReportBody['changes'],
          restart_required: [...report.restartRequired],
          digest: report.digest,
          instance,
          reloaded_at: new Date(report.reloadedAt).toISOString(),
        };
      },
    });

    app.route({
      method: 'GET',
      url: '/api/configuration',
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Which configuration is in force',
        description: 'Of this instance. Compare `digest` to see whether several instances serve the same. Holds no value of a setting.',
        response: { 200: configurationState },
      },
      handler: async (): Promise<ConfigurationStateBody> => {
        const { file, digest, inForceSince, restartRequired } = service.state;
        return {
          file: file ?? null,
          digest,
          in_force_since: new Date(inForceSince).toISOString(),
          restart_required: [...restartRequired],
          instance,
        };
      },
    });
  };
}

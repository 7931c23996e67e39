import { logLevelState, setLogLevelRequest, type LogLevelStateBody, type SetLogLevelRequest } from '@holdfast/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';
import type { LogLevelControl, LogLevelState } from './log-level.ts';

export interface LogLevelRoutesOptions {
  readonly control: LogLevelControl;
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly principalOf: (request: FastifyRequest) => Principal;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

/** `/api/log-level`: for operators. */
export function logLevelRoutes({ control, audit, principalOf, initiatorOf }: LogLevelRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/log-level',
      config: { access: 'operator' },
      schema: {
        tags: ['Operations'],
        summary: 'Look at the log level',
        description: 'Of the instance that answers.',
        response: { 200: logLevelState },
      },
      handler: async () => toBody(control.state),
    });

    app.route({
      method: 'POST',
      url: '/api/log-level',
      config: { access: 'operator' },
      schema: {
        tags: ['Operations'],
        summary: 'Set the log level',
        description:
          'Of the instance that answers, from the next line on: until it is set again, for `for_seconds`, or until a reload finds another level in the configuration.',
        body: setLogLevelRequest,
        response: { 200: logLevelState },
      },
      handler: async (request) => {
        const { level, for_seconds } = request.body as SetLogLevelRequest;
        const before = control.state.level;
        const state = control.set(level, for_seconds && for_seconds * 1_000, principalOf(request).keyId);
        await audit.record({
          type: 'log_level.changed',
          organizationId: null,
          by: initiatorOf(request),
          details: { level, level_before: before, for_seconds },
        });
        return toBody(state);
      },
    });
  };
}

function toBody({ level, configured, untilMs }: LogLevelState): LogLevelStateBody {
  return { level, configured, until: untilMs === undefined ? null : new Date(untilMs).toISOString() };
}

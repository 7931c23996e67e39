import {
  erasedPersonalData,
  erasePersonalDataRequest,
  type ErasedPersonalDataBody,
  type ErasePersonalDataRequest,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Initiator, PersonalValue } from '../../platform/audit/index.ts';

export interface PersonalDataRoutesOptions {
  /** Resolves with how many references there were. */
  readonly erase: (value: PersonalValue, by: Initiator) => Promise<number>;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

/** `POST /api/personal-data/erase`: for operators. */
export function personalDataRoutes({ erase, initiatorOf }: PersonalDataRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.route({
      method: 'POST',
      url: '/api/personal-data/erase',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags: ['Operations'],
        summary: 'Erase personal data from the audit log',
        description:
          'Deletes what the references to a value in the events of an organization stand for. The events stay as they are and the log goes on verifying; nobody can tell any more whom they mean. Cannot be undone. Other tables are not touched: the ledger keeps its end users.',
        body: erasePersonalDataRequest,
        response: { 200: erasedPersonalData },
      },
      handler: async (request): Promise<ErasedPersonalDataBody> => {
        const { organization_id: organizationId, kind, value } = request.body as ErasePersonalDataRequest;
        if (value.includes('\0'))
          throw new HoldfastError('invalid_request', { details: [{ field: 'value', message: 'must not contain NUL' }] });
        return { references: await erase({ organizationId: organizationId?.toLowerCase() ?? null, kind, value }, initiatorOf(request)) };
      },
    });
  };
}

import {
  alertParams,
  alertSilence,
  alertSilencePage,
  createAlertSilenceRequest,
  listAlertSilencesQuery,
  type CreateAlertSilenceRequest,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { FastifyInstance } from 'fastify';
import { toSilenceBody } from './alert-body.ts';
import { pageOfRows, readAlertCursor } from './alert-page.ts';
import type { AlertRoutesOptions } from './routes-options.ts';

const tags = ['Alerts'];
const maxSilenceMs = 366 * 86_400_000;
/** All of them are looked at for every alert at every look. */
const maxSilences = 1_000;

/** `/api/alerts/silences` */
export function addSilenceRoutes(
  app: FastifyInstance,
  { watch, now, principalOf, initiatorOf }: Pick<AlertRoutesOptions, 'watch' | 'now' | 'principalOf' | 'initiatorOf'>,
): void {
  app.route({
    method: 'GET',
    url: '/api/alerts/silences',
    config: { access: 'operator', errors: ['invalid_request'] },
    schema: {
      tags,
      summary: 'List silences',
      description: 'Those that are in force or to come, newest first.',
      querystring: listAlertSilencesQuery,
      response: { 200: alertSilencePage },
    },
    handler: async (request) => {
      const { limit, cursor } = request.query as { limit: number; cursor?: string };
      const before = readAlertCursor(cursor);
      const rows = [...(await watch.silences())]
        .filter(({ id }) => before === undefined || id < before)
        .sort((a, b) => (a.id < b.id ? 1 : -1));
      return pageOfRows(rows, limit, toSilenceBody);
    },
  });

  app.route({
    method: 'POST',
    url: '/api/alerts/silences',
    config: { access: 'operator', errors: ['invalid_request', 'conflict'] },
    schema: {
      tags,
      summary: 'Silence alerts',
      description: 'Alerts that all of the matchers fit are not told while it lasts, on any instance. The end of what was told before is.',
      body: createAlertSilenceRequest,
      response: { 201: alertSilence },
    },
    handler: async (request, reply) => {
      const { matchers, starts_at, ends_at, reason } = request.body as CreateAlertSilenceRequest;
      const startsMs = starts_at === undefined ? now() : Date.parse(starts_at);
      const endsMs = Date.parse(ends_at);
      if (endsMs <= Math.max(startsMs, now())) throw invalid('ends_at', 'must be in the future, and after the beginning');
      if (endsMs > now() + maxSilenceMs) throw invalid('ends_at', 'must be within 366 days');
      if ((await watch.silences()).length >= maxSilences)
        throw new HoldfastError('conflict', {
          details: [{ field: 'matchers', message: `there are ${maxSilences} silences already: end some` }],
        });
      const silence = await watch.silence({ matchers, startsMs, endsMs, reason, by: principalOf(request).keyId }, initiatorOf(request));
      void reply.code(201).header('location', `/api/alerts/silences/${silence.id}`);
      return toSilenceBody(silence);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/api/alerts/silences/:id',
    config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
    schema: {
      tags,
      summary: 'End a silence',
      description: 'Now. What fires is told with the next look.',
      params: alertParams,
      response: { 200: alertSilence },
    },
    handler: async (request) => {
      const ended = await watch.endSilence((request.params as { id: string }).id, initiatorOf(request));
      if (ended === undefined) throw new HoldfastError('resource_not_found');
      return toSilenceBody(ended);
    },
  });
}

function invalid(field: string, message: string): HoldfastError {
  return new HoldfastError('invalid_request', { details: [{ field, message }] });
}

import {
  acknowledgeAlertRequest,
  alert,
  alertDeliveryPage,
  alertPage,
  alertParams,
  alertRules,
  alertTestResults,
  listAlertDeliveriesQuery,
  listAlertsQuery,
  testAlertsRequest,
  type AcknowledgeAlertRequest,
  type ListAlertDeliveriesQuery,
  type ListAlertsQuery,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { toAlertBody, toDeliveryBody, toRuleBody } from './alert-body.ts';
import { pageOfRows, readAlertCursor } from './alert-page.ts';
import type { AlertRoutesOptions } from './routes-options.ts';
import { addSilenceRoutes } from './silence-routes.ts';

const tags = ['Alerts'];

/** `/api/alerts`: what is wrong and who was told, for the operator of the instance. */
export function alertRoutes(options: AlertRoutesOptions): FastifyPluginAsync {
  const { watch, store, enabled, intervalMs, test, audit, principalOf, initiatorOf } = options;
  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/api/alerts',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'List alerts',
        description: 'Those that fire or may soon, and those of the last 30 days, newest first, of all instances.',
        querystring: listAlertsQuery,
        response: { 200: alertPage },
      },
      handler: async (request) => {
        const { limit, cursor, ...filter } = request.query as ListAlertsQuery;
        return pageOfRows(await store.listAlerts({ ...filter, limit: limit + 1, before: readAlertCursor(cursor) }), limit, toAlertBody);
      },
    });

    app.route({
      method: 'GET',
      url: '/api/alerts/rules',
      config: { access: 'operator', errors: [] },
      schema: {
        tags,
        summary: 'List the rules of alerts',
        description: 'As this instance has them, with the channels that are told.',
        response: { 200: alertRules },
      },
      handler: async () => ({
        enabled,
        interval_ms: intervalMs,
        channels: watch.channels.map(({ name, kind, minSeverity }) => ({ name, kind, min_severity: minSeverity })),
        data: watch.rules.map(toRuleBody),
        next_cursor: null,
      }),
    });

    app.route({
      method: 'GET',
      url: '/api/alerts/deliveries',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags,
        summary: 'List what was told',
        description: 'Each notification on its way through a channel, newest first, with its tries.',
        querystring: listAlertDeliveriesQuery,
        response: { 200: alertDeliveryPage },
      },
      handler: async (request) => {
        const { limit, cursor, ...filter } = request.query as ListAlertDeliveriesQuery;
        return pageOfRows(
          await store.listDeliveries({ ...filter, limit: limit + 1, before: readAlertCursor(cursor) }),
          limit,
          toDeliveryBody,
        );
      },
    });

    app.route({
      method: 'POST',
      url: '/api/alerts/test',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: {
        tags,
        summary: 'Send a test through the channels',
        description:
          'Marked as a test wherever it is shown, and of no alert. Answers when all channels have answered, in a minute at most.',
        body: testAlertsRequest,
        response: { 200: alertTestResults },
      },
      handler: async (request) => {
        const { channel } = request.body as { channel?: string };
        const results = await test(channel);
        const delivered = results.data.filter((result) => result.delivered).length;
        await audit.record({
          type: 'alert.tested',
          organizationId: null,
          by: initiatorOf(request),
          details: { channel, delivered, failed: results.data.length - delivered },
        });
        return results;
      },
    });

    addSilenceRoutes(app, options);

    app.route({
      method: 'GET',
      url: '/api/alerts/:id',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found'] },
      schema: { tags, summary: 'Look at an alert', params: alertParams, response: { 200: alert } },
      handler: async (request) => {
        const found = await store.findAlert((request.params as { id: string }).id);
        if (found === undefined) throw new HoldfastError('resource_not_found');
        return toAlertBody(found);
      },
    });

    app.route({
      method: 'POST',
      url: '/api/alerts/:id/acknowledge',
      config: { access: 'operator', errors: ['invalid_request', 'resource_not_found', 'conflict'] },
      schema: {
        tags,
        summary: 'Acknowledge an alert',
        description:
          'Says that somebody has taken it up: it is not told again while it lasts, and its end is. May be repeated; the first stands.',
        params: alertParams,
        body: acknowledgeAlertRequest,
        response: { 200: alert },
      },
      handler: async (request) => {
        const { id } = request.params as { id: string };
        const { note } = request.body as AcknowledgeAlertRequest;
        const acknowledged = await watch.acknowledge({ id, by: principalOf(request).keyId, note: note ?? null }, initiatorOf(request));
        if (acknowledged) return toAlertBody(acknowledged);
        if ((await store.findAlert(id)) === undefined) throw new HoldfastError('resource_not_found');
        throw new HoldfastError('conflict', { details: [{ field: 'id', message: 'this alert does not fire' }] });
      },
    });
  };
}

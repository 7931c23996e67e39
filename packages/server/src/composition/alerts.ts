import { createAlertWatch, defineAlertRule } from '@holdfast/kit/alerts';
import type { Metrics } from '@holdfast/kit/telemetry';
import { createUuidV7, type Random } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import type { Configuration } from '../config/index.ts';
import { initiatorOf } from '../entry/http/index.ts';
import { alertRoutes, createDatabaseAlertStore, testChannels, type AlertRoutesOptions } from '../features/alerts/index.ts';
import type { Reloadable } from '../features/configuration/index.ts';
import type { AuditTrail } from '../platform/audit/index.ts';
import { loadForChannels, openAlertChannels } from './alert-channels.ts';
import { measureAlerts } from './alert-metrics.ts';
import { openAlertReadings, type AlertReadingsOptions } from './alert-readings.ts';

export interface AlertsOptions extends Omit<AlertReadingsOptions, 'providers'> {
  readonly random: Random;
  readonly metrics: Metrics | undefined;
  readonly principalOf: AlertRoutesOptions['principalOf'];
  readonly audit: AuditTrail;
}

export interface Alerts {
  readonly routes: FastifyPluginAsync;
  readonly reload: Reloadable<Configuration>;
}

/** The rules, looked at from now on over the database that all instances share, and the routes to see and tend them. Switched off, there is only to see what was. */
export async function openAlerts(options: AlertsOptions): Promise<Alerts> {
  const { configuration, clock, random, closers, database, metrics, alone, principalOf, audit } = options;
  const { enabled, deployment, intervalMs, repeatMs, rules } = configuration.alerts;
  await loadForChannels(configuration.alerts.channels);
  let channels = openAlertChannels(configuration.alerts.channels, { clock, random });
  const store = createDatabaseAlertStore({ database, audit, clock });
  let providers = configuration.providers;
  const watch = createAlertWatch({
    rules: rules.map((rule) => defineAlertRule(rule)),
    read: enabled ? openAlertReadings({ ...options, providers: () => providers }) : () => [],
    ...{ channels: channels.list, store, deployment, intervalMs, repeatMs, clock, random },
    ...(alone && { instance: 'alone' }),
  });
  closers.add('alerts', () => watch.close());
  if (metrics) closers.add('alert metrics', measureAlerts(metrics));
  if (enabled) watch.start();
  const createId = createUuidV7(clock, random);
  const test = (only: string | undefined) => testChannels({ channels: watch.channels, only, deployment, createId, nowMs: clock.now() });
  return {
    routes: alertRoutes({ watch, store, enabled, intervalMs, test, now: () => clock.now(), audit, principalOf, initiatorOf }),
    reload: {
      prepare(next) {
        const nextRules = next.alerts.rules.map((rule) => defineAlertRule(rule));
        const nextChannels = openAlertChannels(next.alerts.channels, { clock, random }, channels);
        return {
          commit() {
            watch.replaceRules(nextRules);
            watch.replaceChannels(nextChannels.list);
            channels = nextChannels;
            providers = next.providers;
          },
          // Those that were made have opened nothing yet.
          discard() {},
        };
      },
    },
  };
}

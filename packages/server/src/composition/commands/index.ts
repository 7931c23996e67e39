import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import {
  alert,
  alertDeliveryPage,
  alertPage,
  alertRules,
  alertSilence,
  alertSilencePage,
  circuitBreakerList,
  erasedPersonalData,
  logLevelState,
  movedCircuitBreaker,
  rateLimitList,
  reloadReport,
} from '@holdfast/contracts';
import type { CliDependencies } from '../../entry/cli/index.ts';
import { testChannels } from '../../features/alerts/index.ts';
import { createBanIds } from '../../features/abuse/index.ts';
import { createBudgetService } from '../../features/costs/budgets/index.ts';
import { createUsageService } from '../../features/costs/index.ts';
import {
  createKeyAdministration,
  createKeyService,
  createKeyStore,
  createOrganizationService,
  createOrganizationStore,
} from '../../features/identity/index.ts';
import { createRequestLogService, createRequestLogStore } from '../../features/request-log/index.ts';
import { operatorAtTerminal, type NewAuditEvent } from '../../platform/audit/index.ts';
import { createServerClient } from '../../platform/server-client/index.ts';
import { openAlertChannels } from '../alert-channels.ts';
import { openBanBook } from '../ban-book.ts';
import { pseudonymAt } from '../client-names.ts';
import { readServerAddress } from '../server-address.ts';
import { withStorage } from './with-storage.ts';

export { auditCommands } from './audit.ts';
export { costCommands } from './costs.ts';
export { healthCommands } from './health.ts';

/** `holdfast keys …` */
export function keyCommands(runtimeDir: string | undefined): CliDependencies['keys'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, async ({ database, keyRing, audit }) => {
      const service = createKeyService({ store: createKeyStore(database, audit), ring: keyRing, clock: systemClock, random: systemRandom });
      return work(await createKeyAdministration({ database, service }));
    });
}

/** `holdfast organizations …` */
export function organizationCommands(runtimeDir: string | undefined): CliDependencies['organizations'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, ({ database, audit }) =>
      work(
        createOrganizationService({
          store: createOrganizationStore(database, audit),
          tierNames: () => Object.keys(configuration.rateLimits.tiers),
        }),
      ),
    );
}

/** `holdfast budgets …` */
export function budgetCommands(runtimeDir: string | undefined): CliDependencies['budgets'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, ({ database, audit }) =>
      work({
        service: createBudgetService({ database, audit, createId: createUuidV7(systemClock, systemRandom), clock: systemClock }),
        organizations: createOrganizationService({
          store: createOrganizationStore(database, audit),
          tierNames: () => Object.keys(configuration.rateLimits.tiers),
        }),
      }),
    );
}

/** `holdfast bans …`: a book of its own on the same table; running servers hear of what it changes. */
export function banCommands(runtimeDir: string | undefined): CliDependencies['bans'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, async ({ database, keyRing, closers, audit }) =>
      work(await openBanBook({ configuration, database, audit, clock: systemClock, closers }), createBanIds(keyRing)),
    );
}

/** `holdfast pseudonym` */
export function pseudonymCommand(runtimeDir: string | undefined): CliDependencies['pseudonym'] {
  return (configuration, address, unixMs) =>
    withStorage(configuration, runtimeDir, async ({ keyRing }) =>
      pseudonymAt(keyRing, { address, ipv6PrefixLength: configuration.server.ipv6PrefixLength, unixMs }),
    );
}

/** `holdfast usage`: the calls of the whole instance, for whoever has the machine. */
export function usageCommand(runtimeDir: string | undefined): CliDependencies['usage'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, async ({ database }) => {
      const usage = createUsageService(database);
      return work(async ({ limit, cursor, ...filter }) => {
        const { data, next_cursor } = await usage.ofInstance(filter, { limit, cursor });
        return { data: [...data], next_cursor };
      });
    });
}

/** `holdfast request-log`: the requests of the whole instance, for whoever has the machine. */
export function requestLogCommand(runtimeDir: string | undefined): CliDependencies['requestLog'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, ({ database, audit }) => {
      const service = createRequestLogService(createRequestLogStore(database));
      const tell = (event: Pick<NewAuditEvent, 'resource' | 'details'>): Promise<boolean> =>
        audit.record({ type: 'request_log.read', organizationId: null, by: operatorAtTerminal, ...event });
      return work({
        async list({ limit, cursor, ...filter }) {
          const page = await service.list(filter, { limit, cursor });
          const filters = Object.keys(filter).filter((name) => filter[name as keyof typeof filter] !== undefined);
          await tell({ resource: { type: 'request', id: undefined }, details: { rows: page.data.length, filters: filters.sort() } });
          return page;
        },
        async find(id) {
          const found = await service.find(id);
          const content = found.request_content !== null || found.response_content !== null;
          await tell({ resource: { type: 'request', id }, details: { rows: 1, content } });
          return found;
        },
      });
    });
}

/** `holdfast reload`: it waits for a reload that is running, and for files that are just being written. */
export const reloadCommand: CliDependencies['reload'] = async (configuration, env) => {
  const client = createServerClient({ ...readServerAddress(configuration, env), timeoutMs: 60_000 });
  return reloadReport.parse(await client.post('/api/reload', undefined));
};

/** `holdfast log-level`: of the running server. */
export const logLevelCommand: CliDependencies['logLevel'] = async (configuration, env) => {
  const client = createServerClient(readServerAddress(configuration, env));
  return {
    get: async () => logLevelState.parse(await client.get('/api/log-level')),
    set: async (request) => logLevelState.parse(await client.post('/api/log-level', request)),
  };
};

/** `holdfast personal-data erase`: the server also forgets what it has in memory. */
export const erasePersonalDataCommand: CliDependencies['erasePersonalData'] = async (configuration, env) => {
  const client = createServerClient(readServerAddress(configuration, env));
  return async (request) => erasedPersonalData.parse(await client.post('/api/personal-data/erase', request));
};

/** `holdfast breakers …`: states live in the server, so it is asked. */
export const breakerCommands: CliDependencies['breakers'] = async (configuration, env) => {
  const client = createServerClient(readServerAddress(() => configuration, env));
  return {
    list: async () => circuitBreakerList.parse(await client.get('/health/circuit-breakers')),
    open: async (request) => movedCircuitBreaker.parse(await client.post('/api/circuit-breakers/open', request)),
    close: async (request) => movedCircuitBreaker.parse(await client.post('/api/circuit-breakers/close', request)),
  };
};

/** `holdfast limits`: buckets are where the server has them, so it is asked. */
export const limitCommands: CliDependencies['limits'] = async (configuration, env) => {
  const client = createServerClient(readServerAddress(() => configuration, env));
  return {
    list: async (query) => rateLimitList.parse(await client.get(`/api/rate-limits?${searchOf(query)}`)),
    self: async () => rateLimitList.parse(await client.get('/api/rate-limits/self')),
  };
};

/** `holdfast alerts …`: the server says what its configuration and its instances know. */
export const alertCommands: CliDependencies['alerts'] = async (configuration, env) => {
  const client = createServerClient(readServerAddress(() => configuration, env));
  const path = (id: string): string => `/api/alerts/${encodeURIComponent(id)}`;
  return {
    list: async (query) => alertPage.parse(await client.get(`/api/alerts?${searchOf(query)}`)),
    rules: async () => alertRules.parse(await client.get('/api/alerts/rules')),
    deliveries: async (query) => alertDeliveryPage.parse(await client.get(`/api/alerts/deliveries?${searchOf(query)}`)),
    acknowledge: async (id, request) => alert.parse(await client.post(`${path(id)}/acknowledge`, request)),
    silences: async (limit) => alertSilencePage.parse(await client.get(`/api/alerts/silences?${searchOf({ limit })}`)),
    silence: async (request) => alertSilence.parse(await client.post('/api/alerts/silences', request)),
    endSilence: async (id) => alertSilence.parse(await client.delete(`/api/alerts/silences/${encodeURIComponent(id)}`)),
  };
};

/** `holdfast alerts test`: by itself, so that channels can be tried before there is a server. */
export const testAlertsCommand: CliDependencies['testAlerts'] = async (configuration, only) => {
  const channels = openAlertChannels(configuration.alerts.channels, { clock: systemClock, random: systemRandom }).list;
  const createId = createUuidV7(systemClock, systemRandom);
  try {
    return await testChannels({ channels, only, deployment: configuration.alerts.deployment, createId, nowMs: systemClock.now() });
  } finally {
    for (const channel of channels) await channel.close?.();
  }
};

function searchOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const words = Object.entries(query).filter((word): word is [string, string | number] => word[1] !== undefined);
  return new URLSearchParams(words.map(([name, value]) => [name, String(value)])).toString();
}

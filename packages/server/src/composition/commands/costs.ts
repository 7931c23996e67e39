import { createPriceBook } from '@holdfast/kit/llm/pricing';
import { systemClock } from '@holdfast/kit/time';
import type { Configuration } from '../../config/index.ts';
import type { CliDependencies } from '../../entry/cli/index.ts';
import { createCostService, recordPrices, reconcile, reprice } from '../../features/costs/index.ts';
import { withStorage } from './with-storage.ts';

/** `holdfast costs …`: sums of the whole instance, prices again, and comparison with a provider, for whoever has the machine. */
export function costCommands(runtimeDir: string | undefined): CliDependencies['costs'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, async ({ database, audit }) => {
      const service = createCostService(database);
      const book = createPriceBook({ overrides: configuration.prices });
      const kinds = new Map(configuration.providers.map(({ name, kind }) => [name, kind as string]));
      const nowMs = systemClock.now();
      return work({
        sums: (query, organizationId) => service.ofInstance(query, organizationId),
        async reprice(selection, options) {
          // A correction names its price, which no server may have seen yet.
          if (options.apply) await recordPrices(database, book.list());
          const source = `prices of the configuration at ${new Date(nowMs).toISOString()}`;
          return reprice({ database, audit, book, kindOf: (name) => kinds.get(name) }, selection, { ...options, source });
        },
        async reconcile(text, options) {
          if (options.apply) await recordPrices(database, book.list());
          const providersOf = (kind: string) => [...kinds].filter(([, each]) => each === kind).map(([name]) => name);
          return reconcile(
            { database, audit, book, providersOf, modelsOf: (...asked) => askedModels(configuration, ...asked), nowMs },
            text,
            options,
          );
        },
      });
    });
}

/** By which names one of these providers may have been asked, for the name that a client asked for. */
function askedModels(configuration: Configuration, asked: string, providers: readonly string[]): readonly string[] {
  const configured = configuration.models.find(({ name }) => name === asked);
  if (configured) return configured.targets.filter(({ provider }) => providers.includes(provider)).map(({ model }) => model);
  const slash = asked.indexOf('/');
  return slash > 0 && providers.includes(asked.slice(0, slash)) ? [asked.slice(slash + 1)] : [];
}

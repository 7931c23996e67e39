import { createPriceBook } from '@holdfast/kit/llm/pricing';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import type { Reloadable } from '../features/configuration/index.ts';
import {
  costRoutes,
  costSumsFailed,
  createCostCalculator,
  createCostService,
  createCostSums,
  recordPrices,
} from '../features/costs/index.ts';
import type { ServedModels } from '../model/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';

export interface CostsOptions {
  readonly configuration: Configuration;
  readonly database: Database;
  readonly models: ServedModels;
  readonly clock: Clock;
  readonly closers: Closers;
}

/** Reports of costs, the calculator, sums by day, and the prices that were ever in force. */
export async function openCosts({ configuration, database, models, clock, closers }: CostsOptions) {
  let book = createPriceBook({ overrides: configuration.prices });
  // Before the first row can name one of them.
  await recordPrices(database, book.list());
  const sums = createCostSums({ database, clock });
  sums.start();
  closers.add('cost sums', () => sums.stop());
  const reload: Reloadable<Configuration> = {
    prepare(next) {
      const prepared = createPriceBook({ overrides: next.prices });
      return {
        commit() {
          book = prepared;
          // A row that names a price which could not be kept is still priced; the next start keeps it.
          recordPrices(database, prepared.list()).catch((error: unknown) => costSumsFailed.publish({ error }));
        },
        discard() {},
      };
    },
  };
  const calculator = createCostCalculator({ models, book: () => book, clock });
  return { routes: costRoutes(createCostService(database), calculator), reload };
}

import type { Clock } from '@holdfast/kit/time';
import {
  createChangeFeed,
  createDatabaseChangeSignal,
  createDatabaseChangeSource,
  withinDeadline,
} from '../../../platform/change-feed/index.ts';
import type { Database } from '../../../platform/postgres/index.ts';
import type { BudgetKeeper } from './budget-keeper.ts';
import { readBudgets } from './budget-store.ts';

export interface FollowBudgetsOptions {
  readonly database: Pick<Database, 'query' | 'notifications'>;
  readonly keeper: BudgetKeeper;
  readonly clock: Clock;
}

const pollIntervalMs = 1_000;
const timeoutMs = 5_000;
const maxRead = 500;

/** Has the keeper know all budgets, at once and from then on; a change within a second. Throws `database_unavailable`. Returns the end of it. */
export async function followBudgets({ database, keeper, clock }: FollowBudgetsOptions): Promise<() => void> {
  const jobs = () => database.query('jobs');
  const changed = new Set<string>();
  let everything = false;
  let reading = false;
  let closed = false;

  async function read(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      while ((everything || changed.size > 0) && !closed) {
        if (everything) {
          const known = await withinDeadline(clock, timeoutMs, 'reading budgets', readBudgets(jobs()));
          everything = false;
          if (!closed) keeper.replaceAll(known);
          continue;
        }
        const ids = [...changed].slice(0, maxRead);
        for (const id of ids) changed.delete(id);
        const found = await withinDeadline(clock, timeoutMs, 'reading changed budgets', readBudgets(jobs(), ids)).catch(
          (error: unknown) => {
            everything = true;
            throw error;
          },
        );
        if (closed) return;
        const left = new Set(ids);
        for (const budget of found) {
          keeper.put(budget);
          left.delete(budget.id);
        }
        for (const id of left) keeper.remove(id);
      }
    } catch {
      // The next change or poll tries again.
    } finally {
      reading = false;
    }
  }

  const readAll = (): void => {
    everything = true;
    void read();
  };
  let failed = false;
  const source = createDatabaseChangeSource({ database, role: 'jobs', table: 'holdfast.budgets', id: 'id' });
  const feed = createChangeFeed({
    what: 'budgets',
    source: {
      async changesSince(mark) {
        const changes = await source.changesSince(mark);
        // After an outage all may be different: a database that was restored meanwhile counts its transactions anew.
        if (failed || everything) readAll();
        failed = false;
        return changes;
      },
    },
    signal: createDatabaseChangeSignal(database, 'holdfast_budgets'),
    clock,
    pollIntervalMs,
    timeoutMs,
    wanted: () => true,
    onChange(id) {
      changed.add(id);
      void read();
    },
    onOverflow: readAll,
    onFailure: () => void (failed = true),
  });
  const endRecalls = database.notifications.subscribe('holdfast_budget_recalls', (id) => keeper.recall(id));
  await feed.start();
  keeper.replaceAll(await readBudgets(jobs()));
  return () => {
    closed = true;
    endRecalls();
    feed.close();
  };
}

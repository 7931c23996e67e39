import type { Metrics } from '@holdfast/kit/telemetry';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import {
  BudgetKeeper,
  budgetOverrun,
  budgetRefused,
  budgetsLeased,
  budgetThresholdReached,
  createDatabaseSliceStore,
  followBudgets,
} from '../features/costs/budgets/index.ts';
import type { CallLedger } from '../features/costs/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface BudgetsOptions {
  readonly configuration: Configuration;
  readonly database: Database;
  readonly ledger: CallLedger;
  readonly clock: Clock;
  readonly closers: Closers;
  readonly metrics: Metrics | undefined;
}

/** Budgets under the name of the ledger's lease: what this instance holds of them is settled by the calls that are entered under it. */
export async function openBudgets({ configuration, database, ledger, clock, closers, metrics }: BudgetsOptions): Promise<BudgetKeeper> {
  const keeper = new BudgetKeeper({
    store: createDatabaseSliceStore(database, clock),
    instanceId: () => ledger.instanceId,
    clock,
    whenAway: configuration.budgets.whenDatabaseAway,
  });
  if (metrics) closers.add('budget metrics', measureBudgets(metrics, keeper));
  // Before the ledger is, whose lease it needs, and after the last call has been settled.
  closers.add('budgets', async () => {
    await ledger.flush();
    await keeper.close();
  });
  closers.add('budget changes', await followBudgets({ database, keeper, clock }));
  return keeper;
}

function measureBudgets(metrics: Metrics, keeper: BudgetKeeper): () => void {
  metrics.addGauge(serverMetrics.budgets, () => keeper.size);
  metrics.addGauges(serverMetrics.budgetSlices, () => {
    const sums = { spent: 0, reserved: 0, idle: 0 };
    for (const slice of keeper.slices()) {
      sums.spent += slice.spent;
      sums.reserved += slice.reserved;
      sums.idle += Math.max(0, slice.available);
    }
    return Object.entries(sums).map(([state, nanoUsd]) => [state, nanoUsd / 1e9] as const);
  });
  const thresholds = metrics.addCounter(serverMetrics.budgetThresholds);
  for (const percent of ['50', '80', '100']) for (const enforcement of ['hard', 'soft']) thresholds.add(0, { percent, enforcement });
  const refusals = metrics.addCounter(serverMetrics.budgetRefusals);
  for (const subject of ['organization', 'user', 'key'])
    for (const reason of ['exceeded', 'unavailable']) refusals.add(0, { subject, reason });
  const overruns = metrics.addCounter(serverMetrics.budgetOverruns);
  overruns.add(0, {});
  const leases = metrics.addHistogram(serverMetrics.budgetLeaseDuration);
  const stops = [
    budgetThresholdReached.subscribe(({ percent, budget }) =>
      thresholds.add(1, { percent: String(percent), enforcement: budget.enforcement }),
    ),
    budgetRefused.subscribe(({ budget, reason }) => refusals.add(1, { subject: budget.subject, reason })),
    budgetOverrun.subscribe(() => overruns.add(1, {})),
    budgetsLeased.subscribe(({ durationMs, outcome }) => leases.observe(durationMs / 1_000, { outcome })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

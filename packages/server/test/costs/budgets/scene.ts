import { systemClock, type Clock } from '@holdfast/kit/time';
import { writeBeat } from '../../../src/features/costs/index.ts';
import { BudgetKeeper, createDatabaseSliceStore, followBudgets, type Budget } from '../../../src/features/costs/budgets/index.ts';
import type { BudgetDecision } from '../../../src/model/index.ts';
import type { Database } from '../../../src/platform/postgres/index.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { newId } from '../fixture.ts';

/** An organization, stored with the id that it gets here. */
export async function addOrganization(postgres: TestDatabase): Promise<string> {
  const id = newId();
  await postgres.asSuperuser(`insert into identity.organization (id, name, slug, "createdAt") values ($1, 'o', $2, now())`, [id, id]);
  return id;
}

/** A budget of the organization, unless it says otherwise; stored as it is. */
export async function addBudget(postgres: TestDatabase, organizationId: string, over: Partial<Budget> = {}): Promise<Budget> {
  const budget: Budget = {
    ...{ id: newId(), organizationId, name: 'b', subject: 'organization', subjectIds: [organizationId], period: 'month' },
    ...{ limitNanoUsd: 1_000_000, enforcement: 'hard', createdAt: systemClock.now() },
    ...over,
  };
  await postgres.asSuperuser(
    `insert into holdfast.budgets (id, organization_id, name, subject, subject_ids, period, limit_nano, enforcement)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[budget.id, organizationId, budget.name, budget.subject, budget.subjectIds],
      ...[budget.period, budget.limitNanoUsd, budget.enforcement],
    ],
  );
  return budget;
}

export interface Instance {
  readonly id: string;
  readonly keeper: BudgetKeeper;
  reserve(caller: Caller, nanoUsd: number): Promise<BudgetDecision>;
  close(): Promise<void>;
}

interface Caller {
  readonly organizationId: string;
  readonly keyId: string;
  readonly userId: string | undefined;
}

/** What an instance of the server has of budgets, alive on the database. */
export async function openInstance(database: Database, clock: Clock = systemClock): Promise<Instance> {
  const id = newId();
  await writeBeat(database, id);
  const keeper = new BudgetKeeper({
    store: createDatabaseSliceStore(database, clock),
    instanceId: () => id,
    clock,
    whenAway: 'refuse',
  });
  const end = await followBudgets({ database, keeper, clock });
  return {
    id,
    keeper,
    reserve: async (caller, nanoUsd) =>
      keeper.of(caller)?.reserve({ startedAt: clock.now(), startedMonotonic: clock.monotonic() }, nanoUsd) ?? {
        held: true,
        settle: () => {},
      },
    async close() {
      end();
      await keeper.close();
    },
  };
}

export interface Held {
  readonly closed: number;
  readonly granted: number;
  readonly spent: number;
  readonly reserved: number;
}

/** What is stored of all windows of a budget. */
export async function stored(postgres: TestDatabase, budgetId: string): Promise<Held> {
  const [found] = await postgres.asSuperuser<Held & { [column: string]: unknown }>(
    `select (select coalesce(sum(closed_nano), 0)::float8 from holdfast.budget_windows where budget_id = $1) as closed,
       coalesce(sum(granted_nano), 0)::float8 as granted, coalesce(sum(spent_nano), 0)::float8 as spent, coalesce(sum(reserved_nano), 0)::float8 as reserved
     from holdfast.budget_slices where budget_id = $1 and not closed`,
    [budgetId],
  );
  return found!;
}

import { systemClock } from '@holdfast/kit/time';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRecovery } from '../../../src/features/costs/index.ts';
import { budgetThresholdReached, windowAt } from '../../../src/features/costs/budgets/index.ts';
import type { BudgetReservation } from '../../../src/model/index.ts';
import type { Database } from '../../../src/platform/postgres/index.ts';
import { createReferences } from '../../support/personal-references.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { newId } from '../fixture.ts';
import { addBudget, addOrganization, openInstance, stored, type Instance } from './scene.ts';

let cluster: TestDatabase;
let postgres: TestDatabase;
let database: Database;
let organizationId: string;
let instances: Instance[];
beforeAll(async () => {
  cluster = await startTestDatabase();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  postgres = await cluster.createDatabase();
  database = await postgres.open();
  organizationId = await addOrganization(postgres);
  instances = [];
  return async () => {
    await Promise.all(instances.map((each) => each.close()));
    await postgres.stop();
  };
});

async function open(): Promise<Instance> {
  const instance = await openInstance(await postgres.open());
  instances.push(instance);
  return instance;
}

const callerOf = (over: { keyId?: string; userId?: string } = {}) => ({ organizationId, keyId: newId(), userId: undefined, ...over });
const until = async (what: string, done: () => boolean | Promise<boolean>) => {
  for (const end = Date.now() + 10_000; !(await done());) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('exactly', () => {
  test('256 calls at once on one small budget hold no more than it has, and all that it has', async () => {
    const budget = await addBudget(postgres, organizationId, { limitNanoUsd: 1_000 });
    const instance = await open();
    const caller = callerOf();
    const decisions = await Promise.all(Array.from({ length: 256 }, () => instance.reserve(caller, 30)));
    const held = decisions.filter((each): each is BudgetReservation => each.held);
    expect(held).toHaveLength(33);
    for (const each of decisions) if (!each.held) expect(each.error.code).toBe('budget_exceeded');
    for (const each of held) each.settle(10);
    // What was held and not spent is there for others at once.
    expect((await instance.reserve(caller, 660)).held).toBe(true);
    expect((await instance.reserve(caller, 11)).held).toBe(false);
    expect((await stored(postgres, budget.id)).granted).toBeLessThanOrEqual(1_000);
  });

  test('four instances that share one budget never pass it, and leave none of it', async () => {
    const limit = 4_000;
    const budget = await addBudget(postgres, organizationId, { limitNanoUsd: limit });
    const fleet = await Promise.all([open(), open(), open(), open()]);
    const caller = callerOf();
    let spent = 0;
    let refused = 0;
    await Promise.all(
      fleet.flatMap((instance, at) =>
        Array.from({ length: 16 }, async () => {
          for (let turn = 0; turn < 20; turn++) {
            const decision = await instance.reserve(caller, 10 + at);
            if (!decision.held) {
              refused++;
              return;
            }
            await new Promise((resolve) => setImmediate(resolve));
            const cost = 5 + (turn % 6);
            decision.settle(cost);
            spent += cost;
            expect(spent).toBeLessThanOrEqual(limit);
          }
        }),
      ),
    );
    expect(refused).toBeGreaterThan(0);
    const { closed, granted } = await stored(postgres, budget.id);
    expect(closed + granted).toBeLessThanOrEqual(limit);
    // Whatever one has and does not use, another gets when it asks for it.
    await until('the rest', async () => {
      const decision = await fleet[0]!.reserve(caller, limit - spent);
      if (decision.held) decision.settle(0);
      return decision.held;
    });
    await Promise.all(instances.splice(0).map((each) => each.close()));
    expect(await stored(postgres, budget.id)).toEqual({ closed: spent, granted: 0, spent: 0, reserved: 0 });
  });

  test('a call is held by all budgets that it is under, or by none', async () => {
    const [keyId, userId] = [newId(), newId()];
    const all = await addBudget(postgres, organizationId, { limitNanoUsd: 1_000 });
    const ofKey = await addBudget(postgres, organizationId, { subject: 'key', subjectIds: [keyId], limitNanoUsd: 100, period: 'total' });
    await addBudget(postgres, organizationId, { subject: 'user', subjectIds: [userId], limitNanoUsd: 500, period: 'day' });
    const elsewhere = await addOrganization(postgres);
    await addBudget(postgres, elsewhere, { subject: 'user', subjectIds: [userId], limitNanoUsd: 0 });
    const instance = await open();
    const caller = callerOf({ keyId, userId });
    expect((await instance.reserve(caller, 101)).held).toBe(false);
    const one = await instance.reserve(caller, 90);
    expect(one.held).toBe(true);
    expect(await instance.reserve(caller, 20)).toMatchObject({ held: false, error: { details: { budget: { id: ofKey.id } } } });
    // What was refused by one is held by no other.
    expect((await instance.reserve(callerOf(), 910)).held).toBe(true);
    expect(await instance.reserve(callerOf(), 1)).toMatchObject({ held: false, error: { details: { budget: { id: all.id } } } });
  });
});

describe('what an instance leaves', () => {
  async function insertCall(table: 'calls' | 'call_intents', instanceId: string, keyId: string, nanoUsd: number, at: Date): Promise<void> {
    const common = '(id, organization_id, instance_id, key_id, operation, dialect, streamed, model_asked, started_at';
    const values = [newId(), organizationId, instanceId, keyId, at, nanoUsd];
    await postgres.asSuperuser(
      table === 'calls'
        ? `insert into holdfast.calls ${common}, cost_nano_usd, usage_source, outcome) values ($1, $2, $3, $4, 'chat', 'openai', false, 'm', $5, $6, 'provider', 'completed')`
        : `insert into holdfast.call_intents ${common}, reserved_nano) values ($1, $2, $3, $4, 'chat', 'openai', false, 'm', $5, $6)`,
      values,
    );
  }
  const recover = async () =>
    createRecovery({
      database,
      instanceId: () => newId(),
      references: createReferences(),
      clock: systemClock,
    }).recover();
  const kill = (instanceId: string) =>
    postgres.asSuperuser(`update holdfast.instances set seen_at = now() - interval '61 seconds' where id = $1`, [instanceId]);

  test('is closed with what its rows say, and its calls under way count as the most that they can have cost', async () => {
    const keyId = newId();
    const budget = await addBudget(postgres, organizationId, { limitNanoUsd: 1_000, subject: 'key', subjectIds: [keyId] });
    const dead = await open();
    const caller = callerOf({ keyId });
    const done = await dead.reserve(caller, 300);
    if (done.held) done.settle(120);
    await dead.reserve(caller, 200);
    await insertCall('calls', dead.id, keyId, 120, new Date());
    await insertCall('calls', dead.id, newId(), 555, new Date());
    await insertCall('calls', dead.id, keyId, 777, new Date(windowAt('month', Date.now()).startMs - 1));
    await insertCall('call_intents', dead.id, keyId, 200, new Date());

    const living = await open();
    expect((await living.reserve(caller, 900)).held).toBe(false);
    await recover();
    expect((await stored(postgres, budget.id)).closed).toBe(0);
    await kill(dead.id);
    await Promise.all([recover(), recover(), recover()]);
    await recover();
    expect((await stored(postgres, budget.id)).closed).toBe(320);
    await until('what is free again', async () => (await living.reserve(caller, 680)).held);
    expect((await living.reserve(caller, 1)).held).toBe(false);
    // A cost that comes to light later sets right what was closed with it.
    await postgres.asSuperuser(`update holdfast.calls set cost_nano_usd = 50 where outcome = 'interrupted'`);
    expect((await stored(postgres, budget.id)).closed).toBe(170);
    // And so does a correction, which leaves the row as it is; made by the operator.
    await database.asOperator((transaction) =>
      sql`insert into holdfast.call_corrections (call_id, number, organization_id, reason, source, previous_cost_nano_usd, cost_nano_usd)
        select id, 1, organization_id, 'reconciled', 'a test', 50, 20 from holdfast.calls where outcome = 'interrupted'`.execute(
        transaction,
      ),
    );
    expect((await stored(postgres, budget.id)).closed).toBe(140);
  });

  test('one that was given up is granted nothing any more', async () => {
    const budget = await addBudget(postgres, organizationId, { limitNanoUsd: 1_000 });
    const zombie = await open();
    await zombie.reserve(callerOf(), 100);
    await kill(zombie.id);
    await recover();
    const decision = await zombie.reserve(callerOf(), 1_000);
    expect(decision).toMatchObject({ held: false, error: { code: 'budget_unavailable' } });
    expect(await stored(postgres, budget.id)).toEqual({ closed: 0, granted: 0, spent: 0, reserved: 0 });
  });
});

describe('a change counts', () => {
  test('of a limit, while calls run: what is held stays held, and no more than the new limit is granted', async () => {
    const budget = await addBudget(postgres, organizationId, { limitNanoUsd: 1_000 });
    const instance = await open();
    const caller = callerOf();
    const first = await instance.reserve(caller, 600);
    await postgres.asSuperuser('update holdfast.budgets set limit_nano = 500 where id = $1', [budget.id]);
    await until('the lower limit', async () => !(await instance.reserve(caller, 150)).held);
    if (first.held) first.settle(100);
    await postgres.asSuperuser('update holdfast.budgets set limit_nano = 5000 where id = $1', [budget.id]);
    await until('the higher limit', async () => (await instance.reserve(caller, 3_000)).held);
  });

  test('of a budget that is made, deleted, or whose key is replaced', async () => {
    const instance = await open();
    const [keyId, successor] = [newId(), newId()];
    expect((await instance.reserve(callerOf({ keyId }), 1e9)).held).toBe(true);
    const insertKey = (id: string) =>
      postgres.asSuperuser(
        `insert into holdfast.api_keys (id, organization_id, name, prefix, hash, hash_key_version, scopes) values ($1::uuid, $2, 'k', 'p', sha256($1::uuid::text::bytea), 1, '{}')`,
        [id, organizationId],
      );
    await insertKey(keyId);
    await insertKey(successor);
    const budget = await addBudget(postgres, organizationId, { subject: 'key', subjectIds: [keyId], limitNanoUsd: 100 });
    await until('the new budget', async () => !(await instance.reserve(callerOf({ keyId }), 101)).held);
    expect((await instance.reserve(callerOf({ keyId: successor }), 101)).held).toBe(true);
    await postgres.asSuperuser('update holdfast.api_keys set replaced_by = $2 where id = $1', [keyId, successor]);
    await until('the replaced key', async () => !(await instance.reserve(callerOf({ keyId: successor }), 101)).held);
    await postgres.asSuperuser('update holdfast.budgets set deleted_at = now() where id = $1', [budget.id]);
    await until('the deleted budget', async () => (await instance.reserve(callerOf({ keyId }), 101)).held);
  });
});

test('a soft budget refuses nothing, and thresholds are told once, by one instance', async () => {
  await addBudget(postgres, organizationId, { limitNanoUsd: 100, enforcement: 'soft' });
  const told: number[] = [];
  const stop = budgetThresholdReached.subscribe(({ percent }) => void told.push(percent));
  const [one, other] = [await open(), await open()];
  for (const [instance, cost] of [
    [one, 50],
    [other, 31],
    [one, 19],
    [other, 900],
  ] as const) {
    const decision = await instance.reserve(callerOf(), 0);
    expect(decision.held).toBe(true);
    if (decision.held) decision.settle(cost);
    const before = told.length;
    await until('a threshold', () => cost === 900 || told.length > before);
  }
  stop();
  expect(told).toEqual([50, 80, 100]);
});

test('while the database is away a hard budget refuses, and goes on when it is back', async () => {
  await addBudget(postgres, organizationId, { limitNanoUsd: 1_000 });
  const instance = await open();
  const caller = callerOf();
  expect((await instance.reserve(caller, 10)).held).toBe(true);
  instance.keeper.noteAway();
  expect(await instance.reserve(caller, 10)).toMatchObject({ held: false, error: { code: 'budget_unavailable', retryable: true } });
  await until('the database', async () => (await instance.reserve(caller, 10)).held);
});

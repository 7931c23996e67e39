import { HoldfastError } from '@holdfast/kit/errors';
import { exploreSchedules, type SimulatedProcess, type Simulation } from '@holdfast/kit/testing';
import { sleep } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { BudgetKeeper, windowAt, type Budget } from '../../src/features/costs/budgets/index.ts';
import { deadAfterMs, InstanceLease } from '../../src/features/costs/instance-lease.ts';
import { MemorySlices } from '../costs/budgets/memory-slices.ts';

const recoveryEveryMs = 30_000;
/** Longer than others wait until they hold it for dead. */
const maxStandstillMs = 80_000;
/** As many schedules as are asked for take their time. */
const timeoutMs = process.env['SIMULATION_SCHEDULES'] === undefined ? 30_000 : 0;
const startMs = Date.UTC(2026, 0, 31, 23, 58, 30);

interface Intent {
  readonly id: string;
  readonly instanceId: string;
  readonly startedAt: number;
  readonly caller: Caller;
  readonly reserved: number;
}
interface Row extends Intent {
  readonly cost: number;
}
interface Caller {
  readonly organizationId: string;
  readonly keyId: string;
  readonly userId: undefined;
}

const callers: readonly Caller[] = ['one', 'two'].map((keyId) => ({ organizationId: 'o', keyId, userId: undefined }));
const budget = (id: string, over: Partial<Budget>): Budget => ({
  ...{ id, organizationId: 'o', name: id, subject: 'organization', subjectIds: ['o'], period: 'day' },
  ...{ limitNanoUsd: 5_000, enforcement: 'hard', createdAt: 0 },
  ...over,
});
const budgets: readonly Budget[] = [
  budget('all', { limitNanoUsd: 5_000 }),
  budget('key', { subject: 'key', subjectIds: ['one'], period: 'month', limitNanoUsd: 3_000 }),
  budget('told', { period: 'total', limitNanoUsd: 1_000, enforcement: 'soft' }),
];
const isOver = (each: Budget, caller: Caller): boolean => each.subject === 'organization' || each.subjectIds.includes(caller.keyId);

/** What is stored, and what really was spent at the provider, which nobody in it sees. */
class World {
  readonly slices = new MemorySlices();
  readonly intents = new Map<string, Intent>();
  readonly rows = new Map<string, Row>();
  readonly seenAt = new Map<string, number>();
  readonly spentUpstream: { readonly startedAt: number; readonly caller: Caller; readonly cost: number }[] = [];
  readonly simulation: Simulation;
  running: { keeper: BudgetKeeper; process: SimulatedProcess }[] = [];
  calling = true;
  admitted = 0;
  /** By budget and window, at the provider. */
  readonly #spentBy = new Map<string, number>();
  #checked = -1;
  #ids = 0;

  constructor(simulation: Simulation) {
    this.simulation = simulation;
    for (const { id, limitNanoUsd, enforcement } of budgets)
      this.slices.budgets.set(id, { limitNano: limitNanoUsd, hard: enforcement === 'hard', deleted: false });
    this.slices.isAlive = (id) => !this.#isDead(id, '', simulation.clock.now());
    this.slices.onRecall = (id) => {
      for (const { keeper, process } of this.running) if (process.alive) process.spawn(async () => keeper.recall(id));
    };
    simulation.always(() => this.check());
  }

  /** What the provider has done by now will be charged, whatever becomes of the call. */
  spendUpstream(startedAt: number, caller: Caller, cost: number): void {
    this.spentUpstream.push({ startedAt, caller, cost });
    for (const each of budgets) {
      const key = `${each.id} ${windowAt(each.period, startedAt).startMs}`;
      if (isOver(each, caller)) this.#spentBy.set(key, (this.#spentBy.get(key) ?? 0) + cost);
    }
  }

  newId(): string {
    return `${++this.#ids}`;
  }

  spent(each: Budget, windowStartMs: number, of: Iterable<{ startedAt: number; caller: Caller; cost: number }>): number {
    let sum = 0;
    for (const { startedAt, caller, cost } of of)
      if (isOver(each, caller) && windowAt(each.period, startedAt).startMs === windowStartMs) sum += cost;
    return sum;
  }

  check(): void {
    if (this.slices.changes !== this.#checked) this.#checkStored();
    this.#checked = this.slices.changes;
    for (const { keeper, process } of this.running) {
      if (!process.alive) continue;
      for (const slice of keeper.slices())
        if (slice.granted < slice.spent + slice.reserved && slice.budget.hard)
          throw new Error(`${process.name}: ${slice.granted} granted, ${slice.spent} spent, ${slice.reserved} reserved`);
    }
  }

  #checkStored(): void {
    for (const each of budgets) {
      if (each.enforcement === 'soft') continue;
      const starts = new Set(this.slices.slices.filter(({ budgetId }) => budgetId === each.id).map(({ periodStartMs }) => periodStartMs));
      for (const start of starts) {
        const granted = this.slices.slicesOf(each.id, start).reduce((sum, slice) => sum + slice.granted, 0);
        const { closed } = this.slices.windowOf(each.id, start);
        if (closed + granted > each.limitNanoUsd)
          throw new Error(`${each.id}: closed ${closed} + granted ${granted} > ${each.limitNanoUsd}`);
        const real = this.#spentBy.get(`${each.id} ${start}`) ?? 0;
        if (real > each.limitNanoUsd) throw new Error(`${each.id}: spent ${real} > ${each.limitNanoUsd}`);
      }
    }
  }

  /** As recovery.ts does it: first the calls of the dead get their rows, then their slices are closed with what the rows say. */
  settleDeadCalls(self: string, now: number): void {
    for (const intent of this.intents.values()) {
      if (!this.#isDead(intent.instanceId, self, now) || this.rows.has(intent.id)) continue;
      // Its slices are closed already: the intent came after its instance was given up, which therefore sent nothing.
      const counted = this.slices.slices.some((slice) => slice.instanceId === intent.instanceId && !slice.closed);
      this.rows.set(intent.id, { ...intent, cost: counted ? intent.reserved : 0 });
    }
  }

  closeDeadSlices(self: string, now: number): void {
    for (const slice of this.slices.slices) {
      if (slice.closed || !this.#isDead(slice.instanceId, self, now)) continue;
      // It may have died since its calls were looked for.
      if ([...this.intents.values()].some(({ id, instanceId }) => instanceId === slice.instanceId && !this.rows.has(id))) continue;
      const definition = budgets.find(({ id }) => id === slice.budgetId)!;
      const rows = [...this.rows.values()].filter((row) => row.instanceId === slice.instanceId && row.startedAt >= slice.countedFromMs);
      this.slices.close(slice, this.spent(definition, slice.periodStartMs, rows));
    }
  }

  #isDead(instanceId: string, self: string, now: number): boolean {
    return instanceId !== self && (this.seenAt.get(instanceId) ?? Number.NEGATIVE_INFINITY) <= now - deadAfterMs;
  }
}

/** One instance of the server, with the code that decides on budgets; what is around it is played. Begins anew when it crashes. */
function startInstance(world: World, name: string, life = 1): void {
  const { simulation } = world;
  const process = simulation.process(`${name}.${life}`);
  const { clock } = process;
  const lease = new InstanceLease({
    beat: (id) => process.request('beat', () => void world.seenAt.set(id, simulation.clock.now())),
    newId: () => world.newId(),
    clock,
  });
  const keeper = new BudgetKeeper({
    store: { lease: (id, questions) => process.request('lease', () => world.slices.lease(id, questions)) },
    instanceId: () => lease.instanceId,
    clock,
    whenAway: simulation.random.next() < 0.5 ? 'refuse' : 'allow',
  });
  world.running = [...world.running.filter((each) => each.process.alive), { keeper, process }];
  process.onCrash(() => {
    simulation.clock.setTimeout(() => startInstance(world, name, life + 1), 1_000 + simulation.random.next() * 5_000);
  });
  process.spawn(async () => {
    while (
      !(await lease.start().then(
        () => true,
        () => false,
      ))
    )
      await sleep(clock, 500);
    keeper.replaceAll(budgets);
    process.spawn(() => recoverForEver());
    for (const caller of [...callers, ...callers]) process.spawn(() => callForEver(caller));
  });

  async function recoverForEver(): Promise<void> {
    for (;;) {
      await sleep(clock, recoveryEveryMs);
      try {
        await process.request('settle calls of the dead', () => world.settleDeadCalls(lease.instanceId, simulation.clock.now()));
        await process.request('close slices of the dead', () => world.closeDeadSlices(lease.instanceId, simulation.clock.now()));
      } catch {
        // The next round.
      }
    }
  }

  async function callForEver(caller: Caller): Promise<void> {
    for (;;) {
      await sleep(clock, 500 + simulation.random.next() * 6_000);
      if (world.calling) await callOnce(caller);
    }
  }

  async function callOnce(caller: Caller): Promise<void> {
    const moment = { startedAt: clock.now(), startedMonotonic: clock.monotonic() };
    const reserved = 1 + Math.floor(simulation.random.next() * 400);
    const decision = await keeper.of(caller)!.reserve(moment, reserved);
    if (!decision.held) return;
    // From here on as the layers and the ledger do it.
    let cost = 0;
    try {
      const instanceId = lease.instanceId;
      const intent: Intent = { id: world.newId(), instanceId, startedAt: moment.startedAt, caller, reserved };
      await withLease(instanceId, 'write an intent', () => void world.intents.set(intent.id, intent));
      await process.step('waits for the provider');
      cost = Math.floor(simulation.random.next() * (reserved + 1));
      world.admitted++;
      world.spendUpstream(moment.startedAt, caller, cost);
      await withLease(instanceId, 'write a row', () => {
        if (!world.rows.has(intent.id)) world.rows.set(intent.id, { ...intent, cost });
      });
    } catch {
      // The client learns of it; the row may be there or not.
    } finally {
      decision.settle(cost);
    }
  }

  /** Tries until it is known to be there, for as long as the instance holds its lease. */
  async function withLease(instanceId: string, what: string, effect: () => void): Promise<void> {
    for (;;) {
      if (!lease.holds(instanceId)) throw new Error('the lease is lost');
      try {
        await process.request(what, effect);
        if (!lease.holds(instanceId)) throw new Error('the lease is lost');
        return;
      } catch {
        await sleep(clock, 100);
      }
    }
  }
}

test(
  'no schedule of crashes, lost answers and standstills spends past a budget, holds anything for ever, or refuses what is free for longer than a lease',
  async () => {
    let admitted = 0;
    const explored = await exploreSchedules({
      schedules: 60,
      firstSeed: Math.floor(Math.random() * 2 ** 31),
      environment: process.env,
      nowMs: startMs,
      maxStandstillMs,
      faults: { crash: 0.004, lostRequest: 0.02, lostAnswer: 0.02, standstill: 0.001 },
      lost: () => new HoldfastError('database_unavailable'),
      async play(simulation) {
        const world = new World(simulation);
        const instances = 1 + Math.floor(simulation.random.next() * 4);
        for (let index = 0; index < instances; index++) startInstance(world, `instance ${index}`);
        await simulation.run(120_000);

        // Everything that was under way ends, leases of the dead end, the living settle them and give back what they do not use.
        simulation.calm();
        world.calling = false;
        await simulation.run(maxStandstillMs + deadAfterMs + 2 * recoveryEveryMs + 15_000);
        for (const each of budgets) {
          for (const slice of world.slices.slices.filter(({ budgetId }) => budgetId === each.id)) {
            const name = `${each.id} of ${slice.instanceId}`;
            expect(slice.reserved, `${name}: reserved`).toBe(0);
            if (!slice.closed) expect(slice.granted, `${name}: held for nobody`).toBe(slice.spent);
            const open = world.slices.slicesOf(each.id, slice.periodStartMs).filter(({ closed }) => !closed);
            const counted = world.slices.windowOf(each.id, slice.periodStartMs).closed + open.reduce((sum, { spent }) => sum + spent, 0);
            // A soft budget goes on where it cannot be counted.
            if (each.enforcement === 'soft') continue;
            // What was sent and could not be recorded is counted all the same, by those who live to say so.
            expect(counted, `${name}: counted`).toBeGreaterThanOrEqual(world.spent(each, slice.periodStartMs, world.rows.values()));
            expect(counted, `${name}: spent`).toBeGreaterThanOrEqual(world.spent(each, slice.periodStartMs, world.spentUpstream));
          }
        }
        // Whatever is left can be had, by any instance, to the last nano-dollar.
        const now = { startedAt: simulation.clock.now(), startedMonotonic: simulation.clock.monotonic() };
        const caller = callers[1]!;
        const all = budgets[0]!;
        const { startMs: today } = windowAt('day', now.startedAt);
        const used =
          world.slices.windowOf('all', today).closed +
          world.slices.slicesOf('all', today).reduce((sum, each) => sum + (each.closed ? 0 : each.spent), 0);
        const living = world.running.filter((each) => each.process.alive);
        const { keeper, process: chosen } = living[Math.floor(simulation.random.next() * living.length)]!;
        let had: boolean | undefined;
        chosen.spawn(async () => {
          const decision = await keeper
            .of(caller)!
            .reserve({ ...now, startedMonotonic: chosen.clock.monotonic() }, all.limitNanoUsd - used);
          had = decision.held;
        });
        await simulation.run(5_000);
        expect(had, `the rest of ${all.limitNanoUsd - used} can be had`).toBe(true);
        admitted += world.admitted;
      },
    });
    // Or nothing was proven.
    expect(admitted / explored.schedules).toBeGreaterThan(10);
  },
  timeoutMs,
);

import { describe, expect, test } from 'vitest';
import { sleep } from '../../time/index.ts';
import { exploreSchedules } from './explore-schedules.ts';
import { createSimulation, type Simulation, type SimulatedProcess } from './simulation.ts';

/** A counter that processes read, think about, and write: the mistake that a schedule must find. */
function lostUpdate(simulation: Simulation, workers: number): { value: number } {
  const counter = { value: 0 };
  for (let index = 0; index < workers; index++) {
    const worker = simulation.process(`worker ${index}`);
    worker.spawn(async () => {
      const seen = await worker.request('read', () => counter.value);
      await worker.request('write', () => void (counter.value = seen + 1));
    });
  }
  return counter;
}

async function traceOf(seed: number): Promise<readonly string[]> {
  const simulation = createSimulation({ seed, traced: true, faults: { crash: 0.05, lostAnswer: 0.2, standstill: 0.05 } });
  for (const name of ['a', 'b', 'c']) {
    const process = simulation.process(name);
    process.spawn(async () => {
      for (let turn = 0; turn < 5; turn++) {
        await process.request('work', () => turn).catch(() => {});
        await sleep(process.clock, 10);
      }
    });
  }
  await simulation.run(300_000);
  return [...simulation.trace];
}

describe('a simulation', () => {
  test('plays the same schedule for the same seed, and others for others', async () => {
    expect(await traceOf(7)).toEqual(await traceOf(7));
    expect(await traceOf(8)).not.toEqual(await traceOf(7));
  });

  test('finds the interleaving that breaks what looks right, says its seed, and that seed breaks it again', async () => {
    const explore = (environment: Record<string, string>) =>
      exploreSchedules({
        schedules: 200,
        firstSeed: 1,
        environment,
        async play(simulation) {
          const counter = lostUpdate(simulation, 2);
          await simulation.run(1_000);
          expect(counter.value).toBe(2);
        },
      });
    const error = await explore({}).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toMatch(/^schedule \d+: [^]*worker 0: has read[^]*--seed \d+$/);
    expect(error?.message).not.toContain('NOT THE SAME');
    const seed = /^schedule (\d+)/.exec(error!.message)![1]!;
    await expect(explore({ SIMULATION_SEED: seed })).rejects.toThrow(`schedule ${seed}:`);
  });

  test('says so when what it plays is not decided by the seed', async () => {
    let plays = 0;
    const played = exploreSchedules({
      schedules: 1,
      firstSeed: 1,
      environment: {},
      play: async () => {
        if (plays++ === 0) throw new Error('only once');
      },
    });
    await expect(played).rejects.toThrow('NOT THE SAME');
  });

  test('a process that crashes ends at the await where it is, and what had left it arrives all the same', async () => {
    const reached = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const simulation = createSimulation({ seed, faults: { crash: 0.3 } });
      const process = simulation.process('p');
      let arrived = 0;
      let known = 0;
      let crashed = false;
      process.onCrash(() => (crashed = true));
      process.spawn(async () => {
        await process.request('one', () => arrived++);
        known++;
        await process.request('two', () => arrived++);
        known++;
      });
      await simulation.run(1_000);
      expect(process.alive).toBe(!crashed);
      if (!crashed) expect([arrived, known]).toEqual([2, 2]);
      reached.add(`${arrived}${known}`);
    }
    // Arrived and known: nothing had left it, the first was on its way, it had its answer, the second was on its way, all done.
    expect([...reached].sort()).toEqual(['00', '10', '11', '21', '22']);
  });

  test('a lost request had no effect, a lost answer had it, and both look the same to whoever asked', async () => {
    const seen = { lost: 0, done: 0 };
    const simulation = createSimulation({ seed: 3, faults: { lostRequest: 0.3, lostAnswer: 0.3 }, lost: () => new Error('gone') });
    const process = simulation.process('p');
    let effects = 0;
    process.spawn(async () => {
      for (let turn = 0; turn < 100; turn++) {
        await process
          .request('work', () => effects++)
          .then(
            () => seen.done++,
            (error: Error) => {
              expect(error.message).toBe('gone');
              seen.lost++;
            },
          );
      }
    });
    await simulation.run(100_000);
    expect(seen.done + seen.lost).toBe(100);
    expect(effects).toBeGreaterThan(seen.done);
    expect(effects).toBeLessThan(100);
  });

  test('one that stands still sees its timers late, and the others go on meanwhile', async () => {
    const simulation = createSimulation({ seed: 5, faults: { standstill: 0.2 } });
    const late: number[] = [];
    const tick = (process: SimulatedProcess) => async () => {
      for (let turn = 0; turn < 20; turn++) {
        const before = process.clock.monotonic();
        await sleep(process.clock, 100);
        late.push(process.clock.monotonic() - before - 100);
      }
    };
    const process = simulation.process('p');
    process.spawn(tick(process));
    await simulation.run(5_000_000);
    expect(late).toHaveLength(20);
    expect(Math.max(...late)).toBeGreaterThan(1_000);
    expect(Math.min(...late)).toBe(0);
  });

  test('an invariant is checked after every event, and nothing fails once it is calm', async () => {
    const simulation = createSimulation({ seed: 1, faults: { crash: 1, lostRequest: 1 } });
    let value = 0;
    simulation.always(() => {
      if (value === 3) throw new Error('three');
    });
    simulation.calm();
    const process = simulation.process('p');
    process.spawn(async () => {
      for (;;) await process.request('count', () => value++);
    });
    await expect(simulation.run(1_000)).rejects.toThrow('three');
    expect([value, process.alive]).toEqual([3, true]);
  });

  test('timers are cancelled and begun anew as on every clock', async () => {
    const simulation = createSimulation({ seed: 1 });
    const { clock } = simulation.process('p');
    const fired: number[] = [];
    clock.setTimeout(() => fired.push(-1), 5).cancel();
    const timer = clock.setTimeout(() => fired.push(clock.monotonic()), 10);
    await simulation.run(5);
    timer.refresh();
    await simulation.run(5);
    expect(fired).toEqual([]);
    await simulation.run(5);
    expect(fired).toEqual([15]);
  });

  test('a number of schedules that is none is refused', async () => {
    const explore = exploreSchedules({ schedules: 1, firstSeed: 1, environment: { SIMULATION_SCHEDULES: 'many' }, play: async () => {} });
    await expect(explore).rejects.toThrow(/SIMULATION_SCHEDULES takes a whole number/);
  });
});

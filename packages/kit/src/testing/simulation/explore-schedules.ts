import { createSimulation, type Simulation, type SimulationOptions } from './simulation.ts';

export interface ExploreOptions extends Omit<SimulationOptions, 'seed' | 'traced'> {
  /** How many schedules, unless `SIMULATION_SCHEDULES` says otherwise. */
  readonly schedules: number;
  /**
   * `process.env`: `SIMULATION_SCHEDULES` a number, `SIMULATION_SEED` one schedule to play again. Without a seed each run begins at one drawn from
   * `firstSeed`.
   */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where to begin: schedules take seeds from here on. A test that wants other ones each time draws it. */
  readonly firstSeed: number;
  /** Plays one schedule: builds the world, runs it, throws what is wrong at the end. */
  readonly play: (simulation: Simulation) => Promise<void>;
}

export interface Explored {
  readonly schedules: number;
  readonly steps: number;
}

/**
 * Plays many schedules and stops at the first that breaks something: that one is played again with a trace, and the error says its seed, its
 * last steps, and whether it broke the same way the second time (if not, the code under test takes time or chance from elsewhere).
 */
export async function exploreSchedules(options: ExploreOptions): Promise<Explored> {
  const { environment, play, schedules, firstSeed, ...world } = options;
  const oneSeed = wholeNumber(environment, 'SIMULATION_SEED');
  const count = oneSeed === undefined ? (wholeNumber(environment, 'SIMULATION_SCHEDULES') ?? schedules) : 1;
  let steps = 0;
  for (let index = 0; index < count; index++) {
    const seed = oneSeed ?? firstSeed + index;
    const simulation = createSimulation({ ...world, seed });
    try {
      await play(simulation);
    } catch (error) {
      throw await explained(error, seed, world, play);
    }
    steps += simulation.steps;
  }
  return { schedules: count, steps };
}

async function explained(
  error: unknown,
  seed: number,
  world: Omit<SimulationOptions, 'seed'>,
  play: ExploreOptions['play'],
): Promise<Error> {
  const again = createSimulation({ ...world, seed, traced: true });
  let second = 'nothing';
  try {
    await play(again);
  } catch (thrown) {
    second = String(thrown);
  }
  const same = second === String(error);
  return new Error(
    `schedule ${seed}: ${String(error)}\n` +
      (same ? '' : `NOT THE SAME when it was played again (${second}): something takes time or chance from elsewhere\n`) +
      `${again.trace.join('\n')}\nonce more: npm run test:simulation -- --seed ${seed}`,
    { cause: error },
  );
}

function wholeNumber(environment: ExploreOptions['environment'], name: string): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} takes a whole number, not ${JSON.stringify(text)}.`);
  return value;
}

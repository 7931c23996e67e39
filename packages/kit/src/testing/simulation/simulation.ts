import type { Clock, Random, Timer } from '../../time/index.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { EventQueue, type QueuedEvent } from './event-queue.ts';

/** What may go wrong, as chances between 0 and 1. All of it stops with `calm()`. */
export interface SimulatedFaults {
  /** Of each step of a process, to be its last: it ends between two steps, wherever it is waiting. */
  readonly crash: number;
  /** Of each request, never to arrive: nothing happened, and whoever asked sees an error. */
  readonly lostRequest: number;
  /** Of each request, to be answered by an error although it had its effect. */
  readonly lostAnswer: number;
  /** Of each step of a process, to stand still after it for a while, longer than any lease: time goes on, timers fire late. */
  readonly standstill: number;
}

export interface SimulationOptions {
  /** All chance comes from here: the same seed plays the same schedule, on every machine. */
  readonly seed: number;
  readonly faults?: Partial<SimulatedFaults>;
  /** What all clocks say at first, in Unix milliseconds. Default: 2026-01-01T00:00:00Z. */
  readonly nowMs?: number;
  /** Milliseconds that a request or an answer travels: most in under 1 ms, a tenth of them up to this. Default 50. */
  readonly maxTravelMs?: number;
  /** Longest standstill in milliseconds. Default 120,000. */
  readonly maxStandstillMs?: number;
  /** The error of a request whose fate is unknown to whoever asked. */
  readonly lost?: () => Error;
  /** Keeps what happened, to be printed. */
  readonly traced?: boolean;
}

/** One process of the simulated world, with a clock of its own that dies with it. */
export interface SimulatedProcess {
  readonly name: string;
  readonly alive: boolean;
  /** For all code that runs in it. Timers never fire once the process has ended. */
  readonly clock: Clock;
  /** Starts something that runs by itself. What it throws ends the simulation as a failure. */
  spawn(task: () => Promise<unknown>): void;
  /**
   * A request to something outside of the process, which survives it. `effect` runs in one go when the request arrives, as a transaction does;
   * the request may get lost, or its answer. What `effect` throws comes back as the error. The process may end at any moment while it
   * waits: a request that has left it by then arrives all the same.
   */
  request<Result>(what: string, effect: () => Result): Promise<Result>;
  /** Gives the others a turn, as an `await` of something that takes a moment. */
  step(what: string): Promise<void>;
  /** Ends it here and now: nothing that it waits for ever comes. */
  crash(): void;
  /** Called when the process ends by a crash, outside of it: to break its connections, or to start it again. */
  onCrash(callback: () => void): void;
}

export interface Simulation {
  readonly seed: number;
  readonly random: Random;
  /** The world's clock, for what is outside of all processes: a database's `now()`. */
  readonly clock: Clock;
  /** Events so far. */
  readonly steps: number;
  /** What happened, when `traced`; otherwise empty. */
  readonly trace: readonly string[];
  process(name: string): SimulatedProcess;
  /** Checked after every event; throws what is wrong. */
  always(invariant: () => void): void;
  /** From now on nothing fails, crashes or stands still, so that one can wait for the end of things. */
  calm(): void;
  /** Lets virtual time pass, event by event. Rejects with what broke. */
  run(durationMs: number): Promise<void>;
}

const noFaults: SimulatedFaults = { crash: 0, lostRequest: 0, lostAnswer: 0, standstill: 0 };
const keptSteps = 400;

/**
 * A world of processes under a seeded scheduler and a virtual clock. Between two events all promises that are ready run to where they wait for
 * something of this world, so that a schedule is decided by the seed alone; code in it MUST wait for nothing else (no sockets, no files).
 */
export function createSimulation(options: SimulationOptions): Simulation {
  const random = createSeededRandom(options.seed);
  const { nowMs: startMs = Date.UTC(2026, 0, 1), maxTravelMs = 50, maxStandstillMs = 120_000, traced = false } = options;
  const lost = options.lost ?? (() => new Error('the connection was lost'));
  const queue = new EventQueue();
  const invariants: (() => void)[] = [];
  const trace: string[] = [];
  let faults: SimulatedFaults = { ...noFaults, ...options.faults };
  let elapsedMs = 0;
  let steps = 0;
  let failure: { readonly error: unknown } | undefined;

  const happens = (chance: number): boolean => chance > 0 && random.next() < chance;
  const travelMs = (): number => (random.next() < 0.1 ? random.next() * maxTravelMs : random.next());

  function note(line: () => string): void {
    if (!traced) return;
    trace.push(`${elapsedMs.toFixed(3).padStart(12)} ms  ${line()}`);
    if (trace.length > keptSteps) trace.shift();
  }

  function schedule(what: string, delayMs: number, of: QueuedEvent['of'], happen: () => void): QueuedEvent {
    const event = { dueMs: elapsedMs + delayMs, lot: random.next(), cancelled: false, what, of, happen };
    queue.add(event);
    return event;
  }

  function clockOf(of: QueuedEvent['of']): Clock {
    return {
      now: () => Math.floor(startMs + elapsedMs),
      monotonic: () => elapsedMs,
      setTimeout(callback, delayMs): Timer {
        const wait = delayMs > 0 ? delayMs : 0;
        let event = schedule('timer', wait, of, callback);
        return {
          cancel: () => void (event.cancelled = true),
          refresh() {
            event.cancelled = true;
            event = schedule('timer', wait, of, callback);
          },
        };
      },
    };
  }

  class Process implements SimulatedProcess {
    readonly name: string;
    readonly clock: Clock;
    alive = true;
    stillUntilMs = 0;
    readonly #onCrash: (() => void)[] = [];

    constructor(name: string) {
      this.name = name;
      this.clock = clockOf(this);
    }

    spawn(task: () => Promise<unknown>): void {
      schedule(`${this.name}: begins a task`, 0, this, () => void task().catch((error: unknown) => (failure ??= { error })));
    }

    request<Result>(what: string, effect: () => Result): Promise<Result> {
      return new Promise((resolve, reject) => {
        const answer = (said: string, give: () => void) => schedule(`${this.name}: ${said} ${what}`, travelMs(), this, give);
        const arrives = () => {
          if (happens(faults.lostRequest)) return void answer('loses', () => reject(lost()));
          let result: Result;
          try {
            result = effect();
          } catch (error) {
            return void answer('is refused', () => reject(error as Error));
          }
          if (happens(faults.lostAnswer)) answer('does not learn of', () => reject(lost()));
          else answer('has', () => resolve(result));
        };
        const travels = () => void schedule(`world: ${what} of ${this.name}`, travelMs(), undefined, arrives);
        // Half of them have left by the end of this step. The others are still in the process: a crash takes them along, and a process that
        // stands still sends, late, what it decided on before.
        if (random.next() < 0.5) travels();
        else schedule(`${this.name}: sends ${what}`, 0, this, travels);
      });
    }

    step(what: string): Promise<void> {
      return new Promise((resolve) => void schedule(`${this.name}: ${what}`, travelMs(), this, resolve));
    }

    crash(): void {
      if (!this.alive) return;
      this.alive = false;
      note(() => `${this.name}: CRASHES`);
      for (const callback of this.#onCrash) callback();
    }

    onCrash(callback: () => void): void {
      this.#onCrash.push(callback);
    }
  }

  function mishap(of: QueuedEvent['of']): void {
    if (!(of instanceof Process) || !of.alive) return;
    if (happens(faults.crash)) of.crash();
    else if (happens(faults.standstill)) {
      of.stillUntilMs = elapsedMs + random.next() * maxStandstillMs;
      note(() => `${of.name}: stands still for ${(of.stillUntilMs - elapsedMs).toFixed(0)} ms`);
    }
  }

  async function run(durationMs: number): Promise<void> {
    const untilMs = elapsedMs + durationMs;
    await promisesRan();
    for (let event = queue.next; event !== undefined && event.dueMs <= untilMs; event = queue.next) {
      queue.take();
      if (event.cancelled || event.of?.alive === false) continue;
      elapsedMs = Math.max(elapsedMs, event.dueMs);
      if (event.of !== undefined && event.of.stillUntilMs > elapsedMs) {
        event.dueMs = event.of.stillUntilMs;
        queue.add(event);
        continue;
      }
      steps++;
      note(() => event!.what);
      event.happen();
      await promisesRan();
      mishap(event.of);
      for (const invariant of invariants) invariant();
      if (failure) throw failure.error;
    }
    elapsedMs = untilMs;
    if (failure) throw (failure as { readonly error: unknown }).error;
  }

  return {
    seed: options.seed,
    random,
    clock: clockOf(undefined),
    get steps() {
      return steps;
    },
    trace,
    process: (name) => new Process(name),
    always: (invariant) => void invariants.push(invariant),
    calm: () => void (faults = noFaults),
    run,
  };
}

/** Node runs this queue only when no promise is ready any more. A turn of the event loop would cost thirty times as much. */
function promisesRan(): Promise<void> {
  return new Promise((resolve) => void process.nextTick(resolve));
}

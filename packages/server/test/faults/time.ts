import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { systemClock, type Clock } from '@holdfast/kit/time';

/** How time passes while a scene is played. */
export interface SceneTime {
  readonly clock: Clock;
  readonly real: boolean;
  /** Lets time pass until the work is done. */
  play<T>(work: Promise<T>): Promise<T>;
  pass(durationMs: number): Promise<void>;
  /** Timers that nobody has cancelled; undefined where that cannot be known. */
  pendingTimers(): number | undefined;
}

/** By the clock on the wall, for the same catalogue on demand. */
export function realTime(): SceneTime {
  return {
    clock: systemClock,
    real: true,
    play: (work) => work,
    pass: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
    pendingTimers: () => undefined,
  };
}

/** Turns of the event loop without any sign of life after which nothing moves but the clock. */
const quietTurns = 40;

/**
 * Real sockets and a clock that stands still: it goes on to its next timer when neither end has anything left to read. Both ends
 * are in this process, so that what one has written the other can read in its next turn.
 */
export function fakeTime(signsOfLife: () => number): SceneTime {
  const clock = createFakeClock();
  let set = 0;
  const counted: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout(callback, delayMs, keepsAlive) {
      set += 1;
      return clock.setTimeout(callback, delayMs, keepsAlive);
    },
  };
  const signs = () => signsOfLife() + set;
  return {
    clock: counted,
    real: false,
    async play(work) {
      let over = false;
      const watched = work.finally(() => (over = true));
      watched.catch(() => {});
      while (!over) {
        await untilQuiet(signs, () => over);
        if (!over) advance(clock);
      }
      await untilQuiet(signs, () => false);
      return watched;
    },
    async pass(durationMs) {
      const until = clock.monotonic() + durationMs;
      for (;;) {
        await untilQuiet(signs, () => false);
        const next = clock.nextTimerInMs;
        if (next === undefined || clock.monotonic() + next > until) break;
        clock.advance(next);
      }
      clock.advance(until - clock.monotonic());
    },
    pendingTimers: () => clock.pendingTimers,
  };
}

function advance(clock: FakeClock): void {
  const next = clock.nextTimerInMs;
  if (next !== undefined) clock.advance(next);
}

async function untilQuiet(signs: () => number, over: () => boolean): Promise<void> {
  let seen = signs();
  for (let quiet = 0; quiet < quietTurns && !over(); quiet++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const now = signs();
    if (now !== seen) quiet = 0;
    seen = now;
  }
}

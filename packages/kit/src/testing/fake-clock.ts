import type { Clock, Timer } from '../time/index.ts';
import { eventLoopTurn } from './event-loop-turn.ts';

export interface FakeClockOptions {
  /** What `now()` says at first, in Unix milliseconds. Default: 2026-01-01T00:00:00Z. */
  readonly nowMs?: number;
}

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Timers that wait to fire. */
  readonly pendingTimers: number;
  /** Milliseconds until the next timer fires; undefined when none waits. */
  readonly nextTimerInMs: number | undefined;
  /** Lets `elapsedMs` pass and fires what is due, in order of due time, then of setting. A timer that fires sees its own due time. */
  advance(elapsedMs: number): void;
  /** The same, and lets promises and I/O callbacks run before the first timer, after each, and at the end. */
  advanceAsync(elapsedMs: number): Promise<void>;
  /** The machine's clock is set: changes `now()`, not `monotonic()`, and fires nothing. */
  setNow(nowMs: number): void;
}

interface Entry {
  callback: () => void;
  delayMs: number;
  dueMs: number;
  order: number;
  state: 'waiting' | 'fired' | 'cancelled';
}

export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  let elapsedMs = 0;
  let originMs = options.nowMs ?? Date.UTC(2026, 0, 1);
  let order = 0;
  const waiting = new Set<Entry>();

  function arm(entry: Entry): void {
    entry.dueMs = elapsedMs + entry.delayMs;
    entry.order = order++;
    entry.state = 'waiting';
    waiting.add(entry);
  }

  function next(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of waiting) {
      if (!first || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order)) first = entry;
    }
    return first;
  }

  function fireNextUntil(limitMs: number): boolean {
    const entry = next();
    if (!entry || entry.dueMs > limitMs) return false;
    waiting.delete(entry);
    entry.state = 'fired';
    elapsedMs = Math.max(elapsedMs, entry.dueMs);
    entry.callback();
    return true;
  }

  function limitAfter(durationMs: number): number {
    if (!(durationMs >= 0 && Number.isFinite(durationMs)))
      throw new RangeError(`A clock goes on by a number of milliseconds ≥ 0, not by ${durationMs}.`);
    return elapsedMs + durationMs;
  }

  return {
    now: () => originMs + elapsedMs,
    monotonic: () => elapsedMs,
    setTimeout(callback, delayMs): Timer {
      // As Node does it: what is not a positive number fires on the next turn.
      const entry: Entry = { callback, delayMs: delayMs > 0 ? delayMs : 0, dueMs: 0, order: 0, state: 'waiting' };
      arm(entry);
      return {
        cancel() {
          entry.state = 'cancelled';
          waiting.delete(entry);
        },
        refresh() {
          if (entry.state === 'cancelled') throw new Error('A timer was refreshed after it had been cancelled.');
          waiting.delete(entry);
          arm(entry);
        },
      };
    },
    get pendingTimers() {
      return waiting.size;
    },
    get nextTimerInMs() {
      const entry = next();
      return entry && Math.max(0, entry.dueMs - elapsedMs);
    },
    advance(durationMs) {
      const limitMs = limitAfter(durationMs);
      while (fireNextUntil(limitMs));
      elapsedMs = limitMs;
    },
    async advanceAsync(durationMs) {
      const limitMs = limitAfter(durationMs);
      do await eventLoopTurn();
      while (fireNextUntil(limitMs));
      elapsedMs = Math.max(elapsedMs, limitMs);
      await eventLoopTurn();
    },
    setNow(nowMs) {
      originMs = nowMs - elapsedMs;
    },
  };
}

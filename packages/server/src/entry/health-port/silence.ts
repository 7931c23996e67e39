/** For how long the other thread has not given a sign of life. */
export interface SilenceMeter {
  /** Milliseconds, as of the last look. */
  readonly silentMs: number;
  /** Called by a timer, with what the counter says now and the time on the monotonic clock. */
  look(beat: number, nowMs: number): void;
}

/**
 * Counts the time in which this thread itself was awake, and not the time that has passed: a process that was suspended (a laptop that slept, a
 * container that was frozen, a machine that moved) would look stuck to itself the moment it wakes up, and be restarted for it.
 */
export function createSilenceMeter(lookEveryMs: number, startMs: number): SilenceMeter {
  let lastBeat: number | undefined;
  let lookedAtMs = startMs;
  let silentMs = 0;
  return {
    get silentMs() {
      return silentMs;
    },
    look(beat, nowMs) {
      const awakeMs = Math.min(Math.max(0, nowMs - lookedAtMs), 2 * lookEveryMs);
      lookedAtMs = nowMs;
      silentMs = beat === lastBeat ? silentMs + awakeMs : 0;
      lastBeat = beat;
    },
  };
}

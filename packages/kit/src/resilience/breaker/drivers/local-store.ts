import { systemClock, type Clock } from '../../../time/index.ts';
import type { BreakerStore, SharedBreakerState } from '../store.ts';

interface Entry {
  state: SharedBreakerState | undefined;
  /** When `state` was published, monotonic. */
  at: number;
  claimedGeneration: number;
  claimEndsAt: number;
  readonly listeners: Set<(state: SharedBreakerState) => void>;
}

/** The store of a single process: breakers of one name share their state. Forgets a name when nobody watches it any more. */
export function createLocalBreakerStore(options: { readonly clock?: Clock } = {}): BreakerStore {
  const { clock = systemClock } = options;
  const entries = new Map<string, Entry>();

  function entryOf(name: string): Entry {
    let entry = entries.get(name);
    if (!entry) {
      entry = { state: undefined, at: 0, claimedGeneration: -1, claimEndsAt: 0, listeners: new Set() };
      entries.set(name, entry);
    }
    return entry;
  }

  function remaining(entry: Entry): SharedBreakerState | undefined {
    const { state } = entry;
    if (!state) return undefined;
    return { ...state, recoveryMs: Math.max(0, state.recoveryMs - (clock.monotonic() - entry.at)) };
  }

  return {
    watch(name, listener) {
      const entry = entryOf(name);
      // Another function each time, so that whoever watches twice ends twice.
      const own = (state: SharedBreakerState) => listener(state);
      entry.listeners.add(own);
      const state = remaining(entry);
      if (state) own(state);
      return () => {
        entry.listeners.delete(own);
        if (entry.listeners.size === 0 && entries.get(name) === entry) entries.delete(name);
      };
    },
    publish(name, state) {
      const entry = entryOf(name);
      if (entry.state && entry.state.generation >= state.generation) return remaining(entry)!;
      entry.state = state;
      entry.at = clock.monotonic();
      for (const listener of entry.listeners) listener(state);
      return state;
    },
    claimProbe(name, generation, leaseMs) {
      const entry = entryOf(name);
      const now = clock.monotonic();
      if (entry.claimedGeneration === generation && now < entry.claimEndsAt) return false;
      entry.claimedGeneration = generation;
      entry.claimEndsAt = now + leaseMs;
      return true;
    },
    releaseProbe(name, generation) {
      const entry = entries.get(name);
      if (entry?.claimedGeneration === generation) entry.claimEndsAt = 0;
    },
  };
}

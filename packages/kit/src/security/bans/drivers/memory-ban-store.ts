import { standingBan, type Ban } from '../ban.ts';
import type { BanStore, BanStoreListener } from '../ban-store.ts';

/** The store of a single process. Bans end with it; instances that are given the same store share it. */
export function createMemoryBanStore(): BanStore {
  const bans = new Map<string, Ban>();
  const listeners = new Set<BanStoreListener>();
  return {
    load: (endedAfterMs) => [...bans.values()].filter(({ endsAtMs }) => endsAtMs === null || endsAtMs > endedAfterMs),
    put(added) {
      return added.map((ban) => {
        const existing = bans.get(ban.range);
        const standing = standingBan(existing, ban);
        if (standing !== existing) {
          bans.set(ban.range, standing);
          for (const listener of listeners) listener.onAdded(standing);
        }
        return standing;
      });
    },
    lift(range) {
      const removed = bans.get(range);
      if (bans.delete(range)) for (const listener of listeners) listener.onLifted(range);
      return removed;
    },
    prune(endedBeforeMs) {
      const ended = [...bans.values()].filter(({ endsAtMs }) => endsAtMs !== null && endsAtMs <= endedBeforeMs);
      for (const { range } of ended) bans.delete(range);
      return ended.length;
    },
    subscribe(listener) {
      // Another object each time, so that whoever subscribes twice ends twice.
      const own: BanStoreListener = {
        onAdded: (ban) => listener.onAdded(ban),
        onLifted: (range) => listener.onLifted(range),
        onMissed: () => listener.onMissed(),
      };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}

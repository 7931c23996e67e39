import type { Clock, Timer } from '@holdfast/kit/time';
import type { CachedKey } from './key-cache.ts';
import type { KeyDirectory, KeyUse } from './key-directory.ts';
import type { ReportUpkeepFailure } from './upkeep-report.ts';

/** Writes the time of last use back, in batches and at most once an interval for each key. */
export interface LastUsed {
  /** On the hot path: one comparison and one number, but for the first use of a key in each interval. */
  note(key: CachedKey, atUnixMs: number): void;
  start(): void;
  /** Writes what is left. Never throws: a lost time of last use is no loss. */
  close(): Promise<void>;
}

const maxPerStatement = 1000;

export interface LastUsedOptions {
  readonly directory: Pick<KeyDirectory, 'markUsed'>;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly reportFailure: ReportUpkeepFailure;
}

export function createLastUsed({ directory, clock, intervalMs, reportFailure }: LastUsedOptions): LastUsed {
  /** By key, not by entry: an entry that was dropped and loaded again must not make this grow. */
  let noted = new Map<string, CachedKey>();
  let writing: Promise<void> | undefined;
  let timer: Timer | undefined;

  async function write(): Promise<void> {
    const uses: KeyUse[] = [];
    for (const [keyId, key] of noted) {
      uses.push({ keyId, atMs: key.usedAtUnixMs });
      key.usedAtUnixMs = 0;
    }
    noted = new Map();
    // Every instance writes in the same order, so that two of them never wait for each other's rows.
    uses.sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
    try {
      for (let from = 0; from < uses.length; from += maxPerStatement) await directory.markUsed(uses.slice(from, from + maxPerStatement));
    } catch (error) {
      // Not kept for another try: a key that is used is noted again, and one that is not changes nothing that matters.
      reportFailure('last-used', error);
    }
  }

  function writeOnce(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    return writing;
  }

  return {
    note(key, atUnixMs) {
      if (key.usedAtUnixMs === 0) noted.set(key.principal.keyId, key);
      key.usedAtUnixMs = atUnixMs;
    },
    start() {
      timer ??= clock.setTimeout(() => {
        timer?.refresh();
        if (noted.size > 0) void writeOnce();
      }, intervalMs);
    },
    async close() {
      timer?.cancel();
      await writing;
      if (noted.size > 0) await writeOnce();
    },
  };
}

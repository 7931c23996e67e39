import { sql } from 'kysely';
import type { BanStoreListener } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import {
  createChangeFeed,
  createDatabaseChangeSignal,
  createDatabaseChangeSource,
  withinDeadline,
  type ChangeSource,
} from '../../platform/change-feed/index.ts';
import type { Database } from '../../platform/postgres/index.ts';
import { toBan, type BanRow } from './ban-row.ts';

export interface BanChangesOptions {
  readonly database: Pick<Database, 'query' | 'notifications'>;
  readonly clock: Clock;
  readonly pollIntervalMs: number;
  readonly timeoutMs: number;
}

/** Rows that are read at once. */
const maxRead = 500;
/** Revisions that are remembered between two polls. Beyond it a change may be told twice, which does no harm. */
const maxHeard = 10_000;

/**
 * Tells a listener of every change: notifications, and polls where those were lost, say which range, and what became of it is read. One
 * that comes both ways is told once, and never an older state of a range after a newer one. Returns the end of it.
 */
export async function followBanChanges(options: BanChangesOptions, listener: BanStoreListener): Promise<() => void> {
  const { database, clock, timeoutMs } = options;
  const heard = new RevisionsHeard();
  const changed = new Set<string>();
  let reading = false;
  let failed = false;
  let closed = false;

  function tell(row: BanRow): void {
    if (closed || !heard.note(row.range, row.revision)) return;
    if (row.lifted) listener.onLifted(row.range);
    else listener.onAdded(toBan(row));
  }

  async function read(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      while (changed.size > 0 && !closed) {
        const ranges = [...changed].slice(0, maxRead);
        for (const range of ranges) changed.delete(range);
        const rows = database
          .query('jobs')
          .selectFrom('holdfast.bans')
          .selectAll()
          .where('range', '=', sql<string>`any(${ranges}::text[])`)
          .execute();
        // A row that is not there any more ended long ago: nobody needs to hear of that.
        for (const row of await withinDeadline(clock, timeoutMs, 'reading changed bans', rows)) tell(row);
      }
    } catch {
      // Whoever listens loads everything, and learns there why it cannot be read.
      if (!closed) listener.onMissed();
    } finally {
      reading = false;
    }
  }

  const source = createDatabaseChangeSource({ database, role: 'jobs', table: 'holdfast.bans', id: 'range' });
  /** After an outage all may be different: a database that was restored meanwhile counts its transactions anew. */
  const watched: ChangeSource = {
    async changesSince(mark) {
      const changes = await source.changesSince(mark);
      heard.polled();
      if (failed && !closed) listener.onMissed();
      failed = false;
      return changes;
    },
  };
  const feed = createChangeFeed({
    ...options,
    what: 'bans',
    source: watched,
    signal: createDatabaseChangeSignal(database, 'holdfast_bans'),
    wanted: () => true,
    onChange(range) {
      changed.add(range);
      void read();
    },
    onOverflow: () => listener.onMissed(),
    onFailure: () => void (failed = true),
  });
  await feed.start();
  return () => {
    closed = true;
    feed.close();
  };
}

/**
 * The newest revision of each range that was told since the poll before the last. What was committed before a poll is in its answer
 * or in one before it, so what is older than that can come no more.
 */
class RevisionsHeard {
  #current = new Map<string, number>();
  #before = new Map<string, number>();

  /** False when this or a newer one was told already. */
  note(range: string, revision: number): boolean {
    if (Math.max(this.#current.get(range) ?? 0, this.#before.get(range) ?? 0) >= revision) return false;
    if (this.#current.size >= maxHeard) this.#current.clear();
    this.#current.set(range, revision);
    return true;
  }

  polled(): void {
    this.#before = this.#current;
    this.#current = new Map();
  }
}

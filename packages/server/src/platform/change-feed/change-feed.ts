import type { Clock, Timer } from '@holdfast/kit/time';
import type { Change, ChangeSignal, ChangeSource } from './change-source.ts';
import { withinDeadline } from './deadline.ts';

export interface ChangeFeedOptions {
  /** What changes, for words in errors: `keys`. */
  readonly what: string;
  readonly source: ChangeSource;
  readonly signal: ChangeSignal;
  readonly clock: Clock;
  readonly pollIntervalMs: number;
  readonly timeoutMs: number;
  /** Whether anything is in memory that a change could concern; when not, no question is asked. */
  readonly wanted: () => boolean;
  readonly onChange: (id: string) => void;
  /** More changed than can be told. */
  readonly onOverflow: () => void;
  /** A poll failed. The next one asks for everything since the last that did not. */
  readonly onFailure: (error: unknown) => void;
}

export interface ChangeFeed {
  /** Resolves when it is known where changes are counted from; throws `database_unavailable`. */
  start(): Promise<void>;
  close(): void;
}

/**
 * Tells of every change: at once through the signal, and within a poll when the signal is lost. The poll does not wait for
 * the loss to be noticed, since a peer that is gone can leave a connection looking alive for minutes; one indexed question a
 * second is cheaper than the machinery that would tell the difference.
 */
export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { what, source, signal, clock, pollIntervalMs, timeoutMs, wanted, onChange, onOverflow, onFailure } = options;
  const subscriptions: (() => void)[] = [];
  let mark: string | undefined;
  let told = new Map<string, string>();
  let timer: Timer | undefined;
  let polling = false;
  let closed = false;

  async function poll(): Promise<void> {
    if (polling || closed) return;
    polling = true;
    try {
      const answer = await withinDeadline(clock, timeoutMs, `asking for changed ${what}`, source.changesSince(mark));
      if (closed) return;
      mark = answer.mark;
      if (answer.truncated) onOverflow();
      tell(answer.changes);
    } catch (error) {
      onFailure(error);
    } finally {
      polling = false;
    }
  }

  /** A long transaction anywhere holds the mark back, and then the same changes come with each answer: tell them once. */
  function tell(changes: readonly Change[]): void {
    const before = told;
    told = new Map(changes.map(({ id, stamp }) => [id, stamp]));
    for (const { id, stamp } of changes) if (before.get(id) !== stamp) onChange(id);
  }

  function tick(): void {
    timer?.refresh();
    if (wanted()) void poll();
  }

  return {
    async start() {
      subscriptions.push(
        signal.subscribe(onChange),
        // Lost or back again: either way something may have been missed just now.
        signal.onStateChange(() => void poll()),
      );
      mark = (await withinDeadline(clock, timeoutMs, `asking for changed ${what}`, source.changesSince(undefined))).mark;
      if (!closed) timer = clock.setTimeout(tick, pollIntervalMs);
    },
    close() {
      closed = true;
      timer?.cancel();
      for (const end of subscriptions.splice(0)) end();
    },
  };
}

import { signCheckpoint, TiledTree } from '@holdfast/kit/audit';
import { isHoldfastError } from '@holdfast/kit/errors';
import { sleep, type Clock } from '@holdfast/kit/time';
import { auditBatchRefused, auditEventsRejected, auditEventsSequenced, auditSequencerElected, auditSequencerEnded } from '../events.ts';
import type { LogHead } from '../log-head.ts';
import type { RejectionReason } from '../rejection-reason.ts';
import { placeEvents, PlacedMemory } from './place-events.ts';
import type { LogSurvey, SequencerSession } from './session.ts';

export interface SequencerOptions {
  /** A connection of its own to the store. */
  readonly openSession: () => Promise<SequencerSession>;
  readonly createId: () => string;
  /** Lets others have the thread for a moment. */
  readonly breathe: () => Promise<void>;
  readonly clock: Clock;
  /** From this many waiting events on it goes on without a pause. `AUDIT_BUFFER_SIZE`, 100. */
  readonly bufferSize: number;
  /** Leaves of one commit, which share a signature. Default 1,000. */
  readonly batchSize?: number;
}

export interface SequencerState {
  /** Whether this instance gives events their places. */
  readonly elected: boolean;
  /** How long the oldest event without a place had waited at the last look, in milliseconds. */
  readonly lagMs: number;
  /** How many had no place at the last look. */
  readonly waiting: number;
  /** Since when there was no look, on the clock's monotonic scale; undefined while all is well. */
  readonly blindSince: number | undefined;
  /** Of the last failure since something went well. */
  readonly error: unknown;
  /** Whether that was because the log must not be continued. */
  readonly damaged: boolean;
}

/** How long events may wait for others to share their batch, in milliseconds: the log promises them a place within a second. */
const gatherMs = 250;
/** How often others look whether they are needed. */
const followMs = 1_000;
/** After this long without any progress whoever has the lock is deposed: it may be a process that stands still. */
const deposeAfterMs = 10_000;
const retryMs = 1_000;
const refusedPauseMs = 20;
/** A log that must not be continued needs a person. */
const damagedRetryMs = 60_000;
/** Leaves of one commit, and of one signature: of 900 bytes each a megabyte. */
const defaultBatchSize = 1_000;
/** Commits of what was read at once. */
const batchesARead = 4;
const maintainEveryMs = 600_000;
/** How often whoever is elected counts what waits. */
const countEveryMs = 5_000;
/** How long a stop goes on with what waits. It is safe where it is. */
const lastWorkMs = 2_000;

/** A commit under way. */
interface Writing {
  readonly committed: Promise<boolean>;
  readonly seqs: readonly number[];
}

/**
 * Gives events their places in the log. Every instance has one; one of them is elected by a lock that belongs to its connection, and each of its
 * writes is fenced by the number of its election and the size of the log: one that was deposed, that stood still or whose connection was
 * cut writes nothing any more, and knows so by its next write. After any failure it starts from what is stored.
 */
export class AuditSequencer {
  readonly #options: SequencerOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #elected = false;
  #survey: Pick<LogSurvey, 'oldestWaitedMs' | 'waiting'> = { oldestWaitedMs: 0, waiting: 0 };
  #blindSince: number | undefined;
  #error: unknown;
  /** Smaller after the store refused a batch: the event at fault is looked for. */
  #limit: number;
  /** Events that the store refuses by themselves, and those that it refuses even as rejected; by their place in the inbox. */
  readonly #refused = new Set<number>();
  readonly #stuck = new Set<number>();
  #maintainedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#limit = this.#maxRead;
  }

  get state(): SequencerState {
    return {
      elected: this.#elected,
      lagMs: this.#survey.oldestWaitedMs,
      waiting: this.#survey.waiting,
      blindSince: this.#blindSince,
      error: this.#error,
      damaged: isHoldfastError(this.#error) && this.#error.code === 'audit_log_damaged',
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is under way any more; what waits by then waits for the next start, or for another instance. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  get #batchSize(): number {
    return this.#options.batchSize ?? defaultBatchSize;
  }

  get #maxRead(): number {
    return this.#batchSize * batchesARead;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #pause(ms: number): Promise<void> {
    return sleep(this.#options.clock, ms, this.#stopping.signal).catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      let session: SequencerSession | undefined;
      let pauseMs = retryMs;
      try {
        session = await this.#options.openSession();
        await this.#serve(session);
        pauseMs = 0;
      } catch (error) {
        pauseMs = isHoldfastError(error) && error.code === 'audit_log_damaged' ? damagedRetryMs : retryMs;
        this.#error = error;
        this.#blindSince ??= this.#options.clock.monotonic();
        if (this.#elected || !isHoldfastError(error) || error.code !== 'database_unavailable') {
          auditSequencerEnded.publish({ reason: 'failed', error });
        }
      }
      this.#elected = false;
      await session?.close();
      if (pauseMs > 0 && !this.#stopped) await this.#pause(pauseMs);
    }
  }

  /** Follows until it is needed, then leads. Returns when it was superseded or is to stop. */
  async #serve(session: SequencerSession): Promise<void> {
    let unchanged: { readonly what: string; readonly since: number } | undefined;
    while (!this.#stopped) {
      const survey = await session.survey();
      this.#see(survey);
      const now = this.#options.clock.monotonic();
      const what = `${survey.epoch}/${survey.size}/${survey.oldestSeq}`;
      if (unchanged?.what !== what) unchanged = { what, since: now };
      const deposed = !survey.elected && survey.oldestSeq !== undefined && now - unchanged.since >= deposeAfterMs;
      if (survey.elected || deposed) return this.#lead(session, deposed);
      await this.#pause(followMs);
    }
  }

  async #lead(session: SequencerSession, deposed: boolean): Promise<void> {
    for (let first = true; ; first = false) {
      const head = await session.claim();
      if (first) auditSequencerElected.publish({ epoch: head.epoch, size: head.size, deposed });
      this.#elected = true;
      const end = await this.#sequence(session, head);
      if (end !== 'refused') return void auditSequencerEnded.publish({ reason: end, error: undefined });
      // The tree in memory has what was refused: it is read anew. Here, since whoever else were elected would have to find the event at fault anew.
      await this.#pause(refusedPauseMs);
    }
  }

  async #sequence(session: SequencerSession, head: LogHead): Promise<'superseded' | 'stopped' | 'refused'> {
    const { clock } = this.#options;
    const tree = new TiledTree(head.size, head.pending);
    let countedAt = clock.monotonic();
    let stoppedAt: number | undefined;
    for (;;) {
      const moved = await this.#moveBatch(session, head, tree);
      if (typeof moved === 'string') return moved;
      if (clock.monotonic() - countedAt >= countEveryMs) {
        this.#see(await session.survey());
        countedAt = clock.monotonic();
      }
      if (this.#stopped) {
        stoppedAt ??= clock.monotonic();
        if (moved === 0 || clock.monotonic() - stoppedAt > lastWorkMs) return 'stopped';
        continue;
      }
      if (clock.monotonic() - this.#maintainedAt >= maintainEveryMs) {
        const { elected, more } = await session.maintain(head.epoch);
        if (!elected) return 'superseded';
        if (!more) this.#maintainedAt = clock.monotonic();
      }
      if (moved < Math.min(this.#options.bufferSize, this.#limit)) await this.#pause(gatherMs);
    }
  }

  /** How many events left the inbox, or why none did although some were there. */
  async #moveBatch(session: SequencerSession, head: LogHead, tree: TiledTree): Promise<number | 'superseded' | 'refused'> {
    const { clock, createId, breathe } = this.#options;
    const startedAt = clock.monotonic();
    const waiting = await session.readWaiting(this.#limit, [...this.#stuck]);
    this.#seen();
    if (waiting.length === 0) {
      this.#survey = { oldestWaitedMs: 0, waiting: this.#stuck.size };
      return 0;
    }
    // While the store writes one part, the next is placed: it is another process, and takes as long.
    const memory = new PlacedMemory();
    let writing: Writing | undefined;
    let rejected: RejectionReason[] = [];
    for (let at = 0; at < waiting.length; at += this.#batchSize) {
      const options = { createId, breathe, refused: this.#refused, now: () => new Date(clock.now()).toISOString() };
      const oldSize = tree.size;
      const batch = await placeEvents(waiting.slice(at, at + this.#batchSize), tree, options, memory);
      const growth = { ...batch, ...this.#signed(head, tree, oldSize) };
      const failed = await this.#outcome(writing);
      if (failed) return failed;
      const committed = session.commit(growth);
      // Looked at when the next part is placed: until then nobody waits for it.
      committed.catch(() => {});
      writing = { committed, seqs: batch.seqs };
      rejected = [...rejected, ...batch.rejected.map(({ reason }) => reason)];
    }
    const failed = await this.#outcome(writing);
    if (failed) return failed;
    this.#limit = Math.min(this.#maxRead, this.#limit * 4);
    for (const { seq } of waiting) this.#refused.delete(seq);
    if (waiting.length < this.#maxRead) this.#survey = { oldestWaitedMs: 0, waiting: this.#stuck.size };
    auditEventsSequenced.publish({ events: waiting.length, size: tree.size, durationMs: clock.monotonic() - startedAt });
    if (rejected.length > 0) auditEventsRejected.publish({ reasons: rejected });
    return waiting.length;
  }

  /** The log as it is with what was placed. Signed before it is stored, and shown to nobody before that: when the commit fails this head was never said. */
  #signed({ origin, epoch, signers }: LogHead, tree: TiledTree, oldSize: number) {
    const { size, tail } = tree;
    const root = tree.root();
    const seconds = Math.floor(this.#options.clock.now() / 1_000);
    const note = size === oldSize ? undefined : signCheckpoint({ origin, size, root }, signers, seconds);
    return { epoch, oldSize, size, root, tail, tiles: tree.takeTiles(), note };
  }

  /** Undefined when it was written. */
  async #outcome(writing: Writing | undefined): Promise<'superseded' | 'refused' | undefined> {
    if (writing === undefined) return undefined;
    try {
      return (await writing.committed) ? undefined : 'superseded';
    } catch (error) {
      if (isHoldfastError(error)) throw error;
      this.#suspect(writing.seqs);
      auditBatchRefused.publish({ events: writing.seqs.length, error });
      return 'refused';
    }
  }

  /** The store refuses this batch, and would again. One event must not keep all others waiting for ever: it is found by halves, rejected, and if need be left. */
  #suspect(seqs: readonly number[]): void {
    const [seq] = seqs;
    if (seqs.length > 1 || seq === undefined) this.#limit = Math.max(1, Math.floor(seqs.length / 2));
    else if (this.#refused.has(seq)) this.#stuck.add(seq);
    else this.#refused.add(seq);
  }

  #see(survey: LogSurvey): void {
    this.#survey = survey;
    // Whoever follows sees by this that all is well; whoever leads, by what it reads as such.
    if (!survey.elected) this.#seen();
  }

  #seen(): void {
    this.#blindSince = undefined;
    this.#error = undefined;
  }
}

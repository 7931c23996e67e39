import { defineChannel } from '@holdfast/kit/events';
import { sleep, type Clock, type Timer } from '@holdfast/kit/time';
import { SpillError, type ReplayTarget, type Spill } from '../../platform/spill/index.ts';
import type { LedgerWrite } from './ledger-store.ts';
import type { Replayed } from './spill-store.ts';
import { encodeSpilled, spilledValues } from './spilled-write.ts';

/** The database is away, and what ends meanwhile is kept on the disk of this instance. */
export interface SpillBegan {
  readonly maxBytes: number;
}
export const spillBegan = defineChannel<SpillBegan>('holdfast:costs:spill-began');

/** Records reached the disk. */
export interface SpillKept {
  readonly records: number;
}
export const spillKept = defineChannel<SpillKept>('holdfast:costs:spill-kept');

/** Something could not be kept: calls are refused until it can. Told when it begins, and once more when the reason changes. */
export interface SpillRefusing {
  readonly reason: SpillError['kind'];
  readonly bytes: number;
  readonly maxBytes: number;
  readonly error: unknown;
}
export const spillRefusing = defineChannel<SpillRefusing>('holdfast:costs:spill-refusing');

/** A transaction of a replay. */
export const spillReplayed = defineChannel<Replayed>('holdfast:costs:spill-replayed');

/** Everything that was kept is in the database. */
export interface SpillEmptied extends Replayed {
  /** Since the first of it was kept, in milliseconds; undefined when an earlier process had left it. */
  readonly awayMs: number | undefined;
}
export const spillEmptied = defineChannel<SpillEmptied>('holdfast:costs:spill-emptied');

/** A replay stopped and goes on later. Told once until one succeeds. */
export interface SpillReplayFailed {
  readonly error: unknown;
}
export const spillReplayFailed = defineChannel<SpillReplayFailed>('holdfast:costs:spill-replay-failed');

/** What of a `Spill` is needed here. */
export type SpillStorage = Pick<Spill, 'append' | 'bytes' | 'close' | 'empty' | 'hasRoomFor' | 'probe' | 'replay'>;

export interface LedgerSpillOptions {
  readonly spill: SpillStorage;
  readonly maxBytes: number;
  /** Given the function that is to be told of what was replayed. */
  readonly target: (onReplayed: (replayed: Replayed) => void) => ReplayTarget;
  /** Whether the database was seen to answer since the last failure, under the name by which calls are begun now. */
  readonly mayReplay: () => boolean;
  readonly clock: Clock;
}

/** How long a stop waits for a replay, in milliseconds: what is not home by then is for the next start. */
const closeBoundMs = 5_000;

/** Milliseconds between two looks at whether what was kept can go where it belongs. */
const replayEveryMs = 500;

/**
 * Room that a call needs at most for what is written of it, in bytes: the intent, the row, its event. Texts of clients are bounded; only a call with
 * dozens of attempts may need more, and then the bound itself decides.
 */
const bytesPerCall = 12 * 1024;

/** Most writes that wait in memory for either of two places. */
const maxHomeless = 10_000;

const nothingReplayed: Replayed = { rows: 0, superseded: 0, intents: 0, events: 0 };

/** Where the ledger writes while the database is away: on this instance's disk, from where it is brought home in order. */
export class LedgerSpill {
  readonly #options: LedgerSpillOptions;
  readonly #spill: SpillStorage;
  readonly #target: ReplayTarget;
  #active = false;
  #refusing: SpillError['kind'] | undefined;
  #since: number | undefined;
  #sum: Replayed = nothingReplayed;
  #failureTold = false;
  /** What found no place: nobody waits for it any more, but what it tells of was spent. */
  #homeless: LedgerWrite[] = [];
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(options: LedgerSpillOptions) {
    this.#options = options;
    this.#spill = options.spill;
    this.#target = options.target((replayed) => {
      const { rows, superseded, intents, events } = this.#sum;
      this.#sum = {
        rows: rows + replayed.rows,
        superseded: superseded + replayed.superseded,
        intents: intents + replayed.intents,
        events: events + replayed.events,
      };
      spillReplayed.publish(replayed);
      // The database takes what the ledger writes: nothing has to go by the disk any more.
      this.#active = false;
    });
    if (!options.spill.empty) this.#lookLater();
  }

  /** Whether writes go to the disk without asking the database: it was away when it was asked last. */
  get active(): boolean {
    return this.#active;
  }

  /** On the disk, in bytes. */
  get bytes(): number {
    return this.#spill.bytes;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  get empty(): boolean {
    return this.#spill.empty;
  }

  /** Why nothing is kept at this moment; undefined while it is. */
  get refusing(): SpillError['kind'] | undefined {
    return this.#refusing;
  }

  /** Whether one more call may begin beside so many that run: room for all that will be written of them. */
  takes(runningCalls: number): boolean {
    if (this.#refusing !== undefined && this.#refusing !== 'full') return false;
    if (this.#spill.hasRoomFor((runningCalls + 1) * bytesPerCall)) return true;
    if (this.#active) this.#refuse(new SpillError('full', `the spill holds ${this.bytes} of ${this.maxBytes} bytes`));
    return false;
  }

  /** Resolves when the write is on the disk; rejects with a `SpillError` when it is not kept. `away`: for want of the database. */
  async keep(write: LedgerWrite, away: boolean): Promise<void> {
    if (away && !this.#active) {
      this.#active = true;
      this.#since ??= this.#options.clock.monotonic();
      spillBegan.publish({ maxBytes: this.maxBytes });
    }
    this.#lookLater();
    try {
      await this.#spill.append(encodeSpilled(spilledValues(write)));
    } catch (error) {
      this.#refuse(error as SpillError);
      throw error;
    }
    this.#since ??= this.#options.clock.monotonic();
    this.#refusing = undefined;
    spillKept.publish({ records: 1 });
  }

  /** Keeps it as soon as the disk takes something again, before any further call is let in. Up to a bound; beyond it the oldest stay. */
  keepLater(write: LedgerWrite): void {
    if (this.#homeless.length < maxHomeless) this.#homeless.push(write);
  }

  /** Brings home what is there. For a start, when nothing else runs; afterwards it happens by itself. Throws what the database throws. */
  async replay(): Promise<void> {
    await this.#spill.replay(this.#target);
    this.#emptied();
  }

  /** A replay failed: it is tried again by itself. */
  noteFailure(error: unknown): void {
    if (this.#failureTold) return;
    this.#failureTold = true;
    spillReplayFailed.publish({ error });
  }

  /** What is there when the server ends is brought home if the database answers, and otherwise by the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const enough = new AbortController();
    const bound = sleep(this.#options.clock, closeBoundMs, enough.signal).catch(() => {});
    await Promise.race([this.#bringAllHome(), bound]);
    enough.abort();
    await this.#spill.close();
  }

  async #bringAllHome(): Promise<void> {
    await this.#looking;
    await this.#keepHomeless().catch(() => {});
    if (!this.#spill.empty && this.#options.mayReplay()) await this.replay().catch((error: unknown) => this.noteFailure(error));
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#looking !== undefined || this.#closed) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        if (this.#active || !this.#spill.empty || this.#refusing !== undefined || this.#homeless.length > 0) this.#lookLater();
      });
    }, replayEveryMs);
  }

  async #look(): Promise<void> {
    if (this.#refusing === 'disk' || this.#homeless.length > 0) {
      try {
        await this.#spill.probe();
        await this.#keepHomeless();
        if (this.#refusing === 'disk') this.#refusing = undefined;
      } catch {
        // Not yet.
      }
    }
    if (this.#refusing === 'full' && this.#spill.hasRoomFor(bytesPerCall)) this.#refusing = undefined;
    if (!this.#options.mayReplay()) return;
    try {
      await this.replay();
    } catch (error) {
      this.noteFailure(error);
    }
  }

  async #keepHomeless(): Promise<void> {
    const writes = this.#homeless;
    this.#homeless = [];
    const kept = await Promise.allSettled(writes.map((write) => this.#spill.append(encodeSpilled(spilledValues(write)))));
    this.#homeless.unshift(...writes.filter((_, index) => kept[index]!.status === 'rejected'));
    if (this.#homeless.length > 0) throw new SpillError('disk', 'the spill cannot be written');
    if (writes.length > 0) spillKept.publish({ records: writes.length });
  }

  #emptied(): void {
    this.#active = false;
    this.#failureTold = false;
    if (this.#refusing === 'full') this.#refusing = undefined;
    const { rows, intents, events } = this.#sum;
    if (rows + intents + events > 0) {
      const awayMs = this.#since === undefined ? undefined : this.#options.clock.monotonic() - this.#since;
      spillEmptied.publish({ ...this.#sum, awayMs });
    }
    this.#sum = nothingReplayed;
    this.#since = undefined;
  }

  #refuse(error: SpillError): void {
    const told = this.#refusing === error.kind;
    this.#refusing = error.kind;
    this.#lookLater();
    if (!told && error.kind !== 'closed') spillRefusing.publish({ reason: error.kind, bytes: this.bytes, maxBytes: this.maxBytes, error });
  }
}

import { mkdir, readdir, readFile, rename, stat, statfs, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Random } from '@holdfast/kit/time';
import { SegmentFile, segmentOrder, syncFolder } from './segment-file.ts';
import { decodeHeader, decodeSegment, salvageSegment, segmentKey, SegmentCorrupt } from './segment-format.ts';

export interface SpillOptions {
  /**
   * A folder of its own, on a volume that outlives the process: what is here and was not replayed is nowhere else. One process at a time: a
   * second one would take the files of the first for those of the dead.
   */
  readonly folder: string;
  /** 32 bytes for this purpose, of a version of the master key. Throws for a version that is not known. */
  readonly keyOf: (version: number) => Uint8Array;
  /** The version that new segments are sealed with. */
  readonly keyVersion: number;
  /** For the ids of segments. */
  readonly random: Random;
  /** Most that is kept, in bytes on the disk. */
  readonly maxBytes: number;
  /** From which size on a segment is ended, in bytes. Default 16 MiB: it is read whole when it is replayed. */
  readonly segmentBytes?: number;
  /** Most records in one batch. Default 256. */
  readonly maxBatch?: number;
  /** A file could not be read as it was written. What comes after it is replayed all the same. */
  readonly onSetAside?: (found: SetAside) => void;
}

/** A file that no replay can finish. It stays on the disk for whoever can. */
export interface SetAside {
  /** Where it is now. */
  readonly path: string;
  /** `key`: of a version of the master key that is not known; a start that knows it reads the file. `corrupt`: it was changed, or the disk lost a part. `missing`: somebody removed it. */
  readonly reason: 'key' | 'corrupt' | 'missing';
  /** Records that could be read all the same, each proven by its seal, and were handed over. */
  readonly salvaged: number;
  readonly error: unknown;
}

/** Bytes that have to be free on the disk before it is said that it takes records again. */
const minFreeBytes = 1024 * 1024;

/** Why something could not be kept. `full` passes when what is there has been replayed; the others are for an operator. */
export class SpillError extends Error {
  readonly kind: 'full' | 'disk' | 'corrupt' | 'closed';

  constructor(kind: SpillError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SpillError';
    this.kind = kind;
  }
}

/** Where records go in the end. */
export interface ReplayTarget {
  /** How many records of a segment it has, by the marker that `apply` writes. */
  applied(segment: string): Promise<number>;
  /**
   * Takes records and moves the marker of their segment from `from` to `from + records.length`, in one transaction, and only if it is at
   * `from`: that is what makes a replay happen once, whatever it is broken off by.
   */
  apply(segment: string, from: number, records: readonly Buffer[]): Promise<void>;
  /** The segment is gone from the disk: its marker may go too. */
  forget(segment: string): Promise<void>;
}

interface OldSegment {
  readonly order: number;
  readonly path: string;
  readonly bytes: number;
  /** Undefined until it is read. */
  readonly records: number | undefined;
}

interface Waiting {
  readonly record: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps records on the local disk while the place where they belong cannot take them, and hands them over afterwards: in order,
 * each once. Append-only, synced before anybody is told, checksummed, encrypted, bounded.
 *
 * Records that wait together are written and synced together. Segments are never written by two processes nor again after a
 * restart, so that only the end of a file can be torn.
 */
export class Spill {
  readonly #options: SpillOptions;
  readonly #old: OldSegment[];
  #current: SegmentFile | undefined;
  #nextOrder: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Files that this process has no key for. */
  readonly #locked: OldSegment[] = [];
  #writing: Promise<void> | undefined;
  #replaying = false;
  #closed = false;

  private constructor(options: SpillOptions, old: OldSegment[]) {
    this.#options = options;
    this.#old = old;
    this.#nextOrder = (old.at(-1)?.order ?? 0) + 1;
  }

  /** Finds what an earlier process left. Nothing is read or removed yet. */
  static async open(options: SpillOptions): Promise<Spill> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const old: OldSegment[] = [];
    for (const entry of await readdir(options.folder)) {
      const order = segmentOrder(entry);
      if (order === undefined) continue;
      const file = path.join(options.folder, entry);
      old.push({ order, path: file, bytes: (await stat(file)).size, records: undefined });
    }
    old.sort((a, b) => a.order - b.order);
    return new Spill(options, old);
  }

  /** On the disk, in bytes. */
  get bytes(): number {
    let sum = this.#current?.bytes ?? 0;
    for (const { bytes } of this.#old) sum += bytes;
    for (const { bytes } of this.#locked) sum += bytes;
    return sum;
  }

  /** Whether so many bytes more stay within the bound. */
  hasRoomFor(bytes: number): boolean {
    return this.bytes + this.#waitingBytes + bytes <= this.#options.maxBytes;
  }

  /** Whether there is nothing to replay, and nothing on its way to the disk. */
  get empty(): boolean {
    return this.#old.length === 0 && (this.#current?.records ?? 0) === 0 && this.#writing === undefined;
  }

  /** Resolves when the record is on the disk. Rejects with a `SpillError` when it is not kept: nobody may be told that it is. */
  append(record: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new SpillError('closed', 'the spill is closed'));
    if (!this.hasRoomFor(record.length)) {
      return Promise.reject(new SpillError('full', `the spill holds ${this.bytes} of ${this.#options.maxBytes} bytes`));
    }
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#waitingBytes += record.length;
      this.#writing ??= this.#write();
    });
  }

  /** Whether the disk takes records again after one was refused: writes and syncs a little. Throws a `SpillError` when it does not. */
  async probe(): Promise<void> {
    if (this.#closed) throw new SpillError('closed', 'the spill is closed');
    while (this.#writing) await this.#writing;
    // In the place of a write, so that none begins a file of its own meanwhile.
    let failure: unknown;
    this.#writing = this.#writeNothing().then(
      () => {},
      (error: unknown) => void (failure = error),
    );
    await this.#writing;
    this.#writing = this.#waiting.length > 0 ? this.#write() : undefined;
    if (failure !== undefined) throw new SpillError('disk', 'the spill cannot be written', { cause: failure });
  }

  async #writeNothing(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.folder);
    if (bavail * bsize < minFreeBytes) throw new Error(`only ${bavail * bsize} bytes are free`);
    await this.#segment();
  }

  /**
   * Hands over all that is there, the oldest first, until nothing is left, also what is appended meanwhile. Resolves with the number of records
   * that the target took now. When the target rejects, so does this, and the next replay goes on where it stopped.
   */
  async replay(target: ReplayTarget): Promise<number> {
    if (this.#replaying) throw new Error('a replay runs already: two would race for the order');
    this.#replaying = true;
    try {
      let taken = 0;
      for (;;) {
        const segment = this.#old[0];
        if (segment !== undefined) {
          taken += await this.#replayOrSetAside(segment, target);
          this.#old.shift();
        } else if (!(await this.#seal())) return taken;
      }
    } finally {
      this.#replaying = false;
    }
  }

  /** Waits for what is on its way to the disk. What is there stays. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#current?.close();
    this.#current = undefined;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatch ?? 256);
      for (const { record } of batch) this.#waitingBytes -= record.length;
      try {
        const segment = await this.#segment();
        await segment.append(batch.map(({ record }) => record));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = new SpillError('disk', 'the spill could not be written', { cause: error });
        for (const { reject } of batch) reject(failure);
      }
    }
    this.#writing = undefined;
  }

  async #segment(): Promise<SegmentFile> {
    const { folder, keyVersion, keyOf, random, segmentBytes = 16 * 1024 * 1024 } = this.#options;
    const current = this.#current;
    if (current?.writable && current.bytes < segmentBytes) return current;
    if (current) await this.#retire(current);
    return (this.#current = await SegmentFile.create(folder, this.#nextOrder++, { keyVersion, spillKey: keyOf(keyVersion), random }));
  }

  /** Ends the segment that is written, so that it can be replayed. False when there is none with anything in it. */
  async #seal(): Promise<boolean> {
    await this.#writing;
    const current = this.#current;
    if (current === undefined) return false;
    await this.#retire(current);
    return true;
  }

  async #retire(segment: SegmentFile): Promise<void> {
    // In one step: at no moment is what it holds nowhere.
    this.#current = undefined;
    const order = segmentOrder(path.basename(segment.path))!;
    this.#old.push({ order, path: segment.path, bytes: segment.bytes, records: segment.records });
    await segment.close().catch(() => {});
  }

  async #replayOrSetAside(segment: OldSegment, target: ReplayTarget): Promise<number> {
    try {
      return await this.#replaySegment(segment, target);
    } catch (error) {
      if (error instanceof SegmentKeyUnknown) {
        this.#locked.push(segment);
        this.#options.onSetAside?.({ path: segment.path, reason: 'key', salvaged: 0, error: error.cause });
        return 0;
      }
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        this.#options.onSetAside?.({ path: segment.path, reason: 'missing', salvaged: 0, error });
        return 0;
      }
      if (!(error instanceof SpillError) || error.kind !== 'corrupt') throw error;
      return await this.#salvage(segment, target, error);
    }
  }

  /**
   * One file that was damaged must not keep all that came after it from where it belongs, nor what it still proves of itself. It is kept
   * under another name, since what cannot be read of it is nowhere else.
   */
  async #salvage(segment: OldSegment, target: ReplayTarget, error: SpillError): Promise<number> {
    const file = await readFile(segment.path);
    const { id, records } = salvageSegment(file, (header) => segmentKey(this.#options.keyOf(header.keyVersion), header.id));
    // A marker of its own: places in the file that was written are not places in what is left of it.
    if (id !== undefined && records.length > 0) await this.#handOver(`${id.toString('hex')}-salvaged`, records, target);
    const aside = `${segment.path}.corrupt`;
    await rename(segment.path, aside);
    await syncFolder(this.#options.folder);
    if (id !== undefined) await target.forget(`${id.toString('hex')}-salvaged`);
    this.#options.onSetAside?.({ path: aside, reason: 'corrupt', salvaged: records.length, error });
    return records.length;
  }

  async #replaySegment(segment: OldSegment, target: ReplayTarget): Promise<number> {
    const { id, records } = await this.#read(segment);
    const taken = id === undefined ? 0 : await this.#handOver(id, records, target, path.basename(segment.path));
    await unlink(segment.path);
    await syncFolder(this.#options.folder);
    // Last: a marker without its segment is harmless, a segment without its marker would be replayed again.
    if (id !== undefined) await target.forget(id);
    return taken;
  }

  async #handOver(id: string, records: readonly Buffer[], target: ReplayTarget, name = id): Promise<number> {
    const batch = this.#options.maxBatch ?? 256;
    const applied = await target.applied(id);
    if (applied > records.length) {
      throw new SpillError('corrupt', `${name}: ${applied} records were replayed before and ${records.length} are there`);
    }
    for (let from = applied; from < records.length; from += batch) await target.apply(id, from, records.slice(from, from + batch));
    return records.length - applied;
  }

  async #read(segment: OldSegment): Promise<{ id: string | undefined; records: readonly Buffer[] }> {
    try {
      const file = await readFile(segment.path);
      const header = decodeHeader(file);
      if (header === undefined) return { id: undefined, records: [] };
      const { records } = decodeSegment(file, segmentKey(this.#keyOf(header.keyVersion), header.id));
      if (segment.records !== undefined && records.length < segment.records) {
        throw new SegmentCorrupt(`${segment.records} records were confirmed and ${records.length} are there`, file.length);
      }
      return { id: header.id.toString('hex'), records };
    } catch (error) {
      if (!(error instanceof SegmentCorrupt)) throw error;
      throw new SpillError('corrupt', `${path.basename(segment.path)} is not what was written: ${error.message}`, { cause: error });
    }
  }

  #keyOf(version: number): Uint8Array {
    try {
      return this.#options.keyOf(version);
    } catch (cause) {
      throw new SegmentKeyUnknown(`there is no master key of version ${version}`, { cause });
    }
  }
}

class SegmentKeyUnknown extends Error {}

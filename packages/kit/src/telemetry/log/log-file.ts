import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../time/index.ts';

export interface RotationOptions {
  /** Bytes from which on the file makes room for a new one: `x.log` becomes `x.log.1`, and that `x.log.2`. 0: never. */
  readonly maxBytes: number;
  /** Files that are kept beside the current one. */
  readonly maxFiles: number;
  /** Those that were last written longer ago are removed. Undefined: they go by their number alone. */
  readonly maxAgeMs?: number | undefined;
}

export interface LogFileOptions {
  readonly file: string;
  readonly rotation: RotationOptions | undefined;
  readonly clock: Clock;
  /** Closes the file and opens it anew, by its name. What waits is written to the old or to the new one. */
  readonly reopen: () => void;
}

/** How often it is looked at whether the name still leads to the file that is written. */
const lookEveryMs = 1_000;

/**
 * Sees to it that the log is where its name says, and does not grow without end. All of it is asynchronous and beside the writing: while a file
 * is renamed, lines go on into it, since what is open follows the file and not the name. A file that somebody removes or moves away, such as
 * `logrotate`, is made anew within a second of the next line. Nothing here throws: a log that cannot be kept in order is still written.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  /** Of the file, as far as it is known; what is written by others is found when it is looked at. */
  #bytes = 0;
  #inode: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #busy: Promise<void> | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** To be called for each write, with what was written. */
  wrote(bytes: number): void {
    this.#bytes += bytes;
    const { rotation, clock } = this.#options;
    const full = rotation !== undefined && rotation.maxBytes > 0 && this.#bytes >= rotation.maxBytes;
    const now = clock.monotonic();
    if (this.#busy !== undefined || (!full && now - this.#lookedAt < lookEveryMs)) return;
    this.#lookedAt = now;
    this.#busy = this.#look(full)
      .catch(() => {})
      .finally(() => (this.#busy = undefined));
  }

  /** Resolves when nothing is being renamed. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  async #look(full: boolean): Promise<void> {
    const { file, rotation, reopen } = this.#options;
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || (this.#inode !== undefined && found.ino !== this.#inode)) {
      this.#inode = undefined;
      this.#bytes = found?.size ?? 0;
      await mkdir(dirname(file), { recursive: true });
      reopen();
      return;
    }
    this.#inode = found.ino;
    // The greater one: what was written a moment ago may not have arrived yet.
    this.#bytes = Math.max(found.size, full ? this.#bytes : 0);
    // Not a device such as /dev/stderr.
    if (!found.isFile() || rotation === undefined || rotation.maxBytes === 0 || this.#bytes < rotation.maxBytes) return;
    await this.#rotate(rotation);
    this.#inode = undefined;
    this.#bytes = 0;
    reopen();
  }

  async #rotate({ maxFiles, maxAgeMs }: RotationOptions): Promise<void> {
    const { file, clock } = this.#options;
    const numbers = await this.#numbers();
    // From the oldest on, so that none is overwritten.
    for (const number of numbers.toSorted((a, b) => b - a)) {
      const name = `${file}.${number}`;
      const written = maxAgeMs === undefined ? undefined : await stat(name).catch(() => undefined);
      const tooOld = written !== undefined && clock.now() - written.mtimeMs > maxAgeMs!;
      if (number >= maxFiles || tooOld) await rm(name, { force: true });
      else await rename(name, `${file}.${number + 1}`);
    }
    if (maxFiles === 0) await rm(file, { force: true });
    else await rename(file, `${file}.1`);
  }

  async #numbers(): Promise<number[]> {
    const { file } = this.#options;
    const prefix = `${basename(file)}.`;
    const names = await readdir(dirname(file));
    return names
      .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,5}$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)));
  }
}

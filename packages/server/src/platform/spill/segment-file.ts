import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Random } from '@holdfast/kit/time';
import { createHeader, encodeBatch, encodeHeader, headerBytes, segmentKey } from './segment-format.ts';

/** Batches in one file at most: far below where numbers of batches, which are nonces, would begin again. */
const maxBatches = 1_000_000;

/** A segment that is being written. After a failed write it takes no more: what the disk has of it then is not known. */
export class SegmentFile {
  readonly path: string;
  /** Hexadecimal. */
  readonly id: string;
  readonly #file: FileHandle;
  readonly #key: Buffer;
  #batches = 0;
  #bytes = headerBytes;
  #records = 0;
  #broken = false;

  private constructor(file: FileHandle, filePath: string, id: Buffer, key: Buffer) {
    this.#file = file;
    this.path = filePath;
    this.id = id.toString('hex');
    this.#key = key;
  }

  /** `order` sorts the files of a folder as they were made. Its name is durable before this resolves. */
  static async create(
    folder: string,
    order: number,
    { keyVersion, spillKey, random }: { readonly keyVersion: number; readonly spillKey: Uint8Array; readonly random: Random },
  ): Promise<SegmentFile> {
    const header = createHeader(keyVersion, random);
    const filePath = path.join(folder, segmentName(order));
    // Never a file that is there: two processes in one folder must not write into each other's.
    const file = await open(filePath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND, 0o600);
    try {
      await file.writeFile(encodeHeader(header));
      await file.datasync();
      await syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => {});
      await unlink(filePath).catch(() => {});
      throw error;
    }
    return new SegmentFile(file, filePath, header.id, segmentKey(spillKey, header.id));
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records;
  }

  get writable(): boolean {
    return !this.#broken && this.#batches < maxBatches;
  }

  /** Resolves when all of the records are on the disk. When it rejects none of them was promised, though they may be there. */
  async append(records: readonly Uint8Array[]): Promise<void> {
    const batch = encodeBatch(this.#key, this.#batches, records);
    this.#batches++;
    try {
      await this.#file.writeFile(batch);
      // Data and the length of the file, not its times.
      await this.#file.datasync();
      // Whoever removes the folder under a process leaves it a file without a name, which takes everything and keeps nothing.
      if ((await this.#file.stat()).nlink === 0) throw new Error('the file was removed');
    } catch (error) {
      // Linux forgets that pages could not be written once it has said so: a second sync would succeed without them.
      this.#broken = true;
      throw error;
    }
    this.#bytes += batch.length;
    this.#records += records.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

export function segmentName(order: number): string {
  return `${order.toString().padStart(12, '0')}.spill`;
}

/** The order in the name of a segment, or undefined for other files. */
export function segmentOrder(name: string): number | undefined {
  const found = /^(\d{12})\.spill$/.exec(name);
  return found ? Number(found[1]) : undefined;
}

/** Makes names in a folder durable: a file whose name is lost is lost. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and writes their entries through.
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

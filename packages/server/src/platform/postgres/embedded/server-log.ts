import { closeSync, constants, copyFileSync, fchownSync, fstatSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { onFolder } from './folder-fault.ts';
import type { ProcessUser } from './process-user.ts';

export function serverLogPath(home: string): string {
  return join(home, 'postgres.log');
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * For the standard error of PostgreSQL. The caller closes it. Appending, so that the file can be cut under its writer; not
 * through a link, since root may write here in a folder of somebody else.
 */
export function openServerLog(path: string, user: ProcessUser | undefined): number {
  return onFolder(path, () => {
    const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    if (user) fchownSync(file, user.uid, user.gid);
    return file;
  });
}

/**
 * Cuts the log when it is larger than `maxBytes`, keeping what it held as `….1`. By copying, not by renaming: PostgreSQL holds
 * the file open, also when it outlived the server that opened it. Lines written during the copy are lost.
 */
export function boundServerLog(path: string, maxBytes: number): void {
  try {
    if (statSync(path).size <= maxBytes) return;
    rmSync(`${path}.1`, { force: true });
    copyFileSync(path, `${path}.1`, constants.COPYFILE_EXCL);
    truncateSync(path, 0);
  } catch {
    // A full disk or a missing file: the log is not worth a fault.
  }
}

export function serverLogSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const maxTailBytes = 16 * 1024;

/** The last lines, at most `count`, of what was written after the first `fromByte` bytes. */
export function readLogTail(path: string, fromByte = 0, count = 20): string[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(size < fromByte ? 0 : fromByte, size - maxTailBytes);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const length = readSync(file, buffer, 0, buffer.length, start);
    return buffer
      .toString('utf8', 0, length)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count);
  } finally {
    closeSync(file);
  }
}

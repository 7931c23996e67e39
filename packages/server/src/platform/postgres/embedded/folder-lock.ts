import { closeSync, lchownSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import { diskFull, onFolder } from './folder-fault.ts';
import { runsAsRoot } from './process-user.ts';

export interface FolderLock {
  release(): void;
}

const sqliteBusy = 5;
const sqliteFull = 13;
const lockFile = 'server.lock';

/**
 * Takes `folder` for this process, until `release` or the end of the process, however it ends.
 *
 * The lock is the kernel's own (`fcntl` on `server.lock`), taken through an exclusive transaction of Node's SQLite on an
 * empty file, because Node has no other way to it. A file with a pid would be fooled by a reused pid, and a listening
 * socket needs somebody to clear it away after `kill -9`, which two starters at once do to each other.
 *
 * HAZARD: closing any other descriptor of that file in this process gives the lock back (POSIX). Nothing else opens it.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, lockFile);
  const { DatabaseSync } = loadSqlite();
  let database;
  try {
    database = new DatabaseSync(path);
  } catch (thrown) {
    findReason(folder);
    throw new HoldfastError('data_folder_unusable', { detail: `${path}: cannot be opened for writing`, cause: thrown });
  }
  try {
    // No journal: nothing is written, so the lock can be taken on a full disk too and leaves nothing to recover.
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    const code = (thrown as { errcode?: number }).errcode;
    if (code === sqliteBusy)
      throw new HoldfastError('data_folder_in_use', { detail: `${folder} is held by another running server`, cause: thrown });
    if (code === sqliteFull) throw diskFull(folder, thrown);
    throw new HoldfastError('data_folder_unusable', { detail: `${path}: cannot be locked (${(thrown as Error).message})`, cause: thrown });
  }
  // A start by root must not keep the owner of the folder out of it afterwards.
  if (runsAsRoot()) onFolder(path, () => lchownSync(path, statSync(folder).uid, statSync(folder).gid));
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

/** SQLite does not say why it cannot open a file; the file system does. */
function findReason(folder: string): void {
  const probe = join(folder, `.probe-${process.pid}`);
  onFolder(folder, () => closeSync(openSync(probe, 'wx')));
  rmSync(probe, { force: true });
}

/** Node 22 warns that its SQLite is experimental; the operator can do nothing about it and the lock uses nothing that changes. */
function loadSqlite(): typeof import('node:sqlite') {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

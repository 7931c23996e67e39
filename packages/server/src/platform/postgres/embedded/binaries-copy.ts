import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Random } from '@holdfast/kit/time';
import { makeLibraryLinks } from './library-links.ts';

const linkList = 'pg-symlinks.json';
const parts = ['bin', 'lib', 'share', linkList];
/** For building extensions only, and a third of the size. */
const unneeded = /\.a$|^pkgconfig$|^pgxs$|^libecpg|^libpgtypes/;

/**
 * Copies the binaries to `copy` with modes that let everybody run them, and links the libraries there. The copy is made beside
 * its place and moved there in one step, so that a half one is never found and two processes may do it at once.
 */
export function copyBinaries(nativeDir: string, copy: string, random: Random): void {
  const parent = dirname(copy);
  makeOpenFolder(parent);
  const draft = join(parent, `${basename(copy)}.new-${random.bytes(4).toString('hex')}`);
  try {
    makeOpenFolder(draft);
    for (const part of parts) if (existsSync(join(nativeDir, part))) copyOpenly(join(nativeDir, part), join(draft, part));
    makeLibraryLinks(draft, random);
    moveIntoPlace(draft, copy, nativeDir);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** False for a copy that lost bytes, as after a power loss: programs and libraries are compared by size. */
export function isWholeCopy(nativeDir: string, copy: string): boolean {
  for (const folder of ['bin', 'lib']) {
    for (const name of copiedNames(join(nativeDir, folder))) {
      const source = statSync(join(nativeDir, folder, name), { throwIfNoEntry: false });
      if (source?.isFile() && statSync(join(copy, folder, name), { throwIfNoEntry: false })?.size !== source.size) return false;
    }
  }
  return existsSync(join(copy, 'share/postgresql/postgres.bki'));
}

function copyOpenly(source: string, destination: string): void {
  const stats = statSync(source);
  if (!stats.isDirectory()) {
    copyFileSync(source, destination, constants.COPYFILE_FICLONE);
    chmodSync(destination, stats.mode & 0o100 ? 0o755 : 0o644);
    return;
  }
  makeOpenFolder(destination);
  for (const name of copiedNames(source)) copyOpenly(join(source, name), join(destination, name));
}

function copiedNames(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink() && !unneeded.test(entry.name))
    .map((entry) => entry.name);
}

function makeOpenFolder(path: string): void {
  if (mkdirSync(path, { recursive: true })) chmodSync(path, 0o755); // whatever the umask is
}

function moveIntoPlace(draft: string, copy: string, nativeDir: string): void {
  try {
    renameSync(draft, copy);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw thrown;
    if (isWholeCopy(nativeDir, copy)) return; // another process was faster
    rmSync(copy, { recursive: true, force: true });
    renameSync(draft, copy);
  }
}

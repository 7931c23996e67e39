import { existsSync, lstatSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Random } from '@holdfast/kit/time';

interface Link {
  /** Path of the link. */
  readonly path: string;
  /** What it says: the target, relative to the folder of the link. */
  readonly target: string;
}

/**
 * Makes the links between library versions that npm cannot pack (`pg-symlinks.json`) and that the package makes in an
 * install script, which does not run with `ignore-scripts`. Repeating it is safe, and two processes may do it at once.
 * Throws what the file system throws when a link is missing and cannot be made, as in a read-only `node_modules`.
 */
export function makeLibraryLinks(nativeDir: string, random: Random): void {
  for (const link of readLinks(nativeDir)) {
    const isNeeded = existsSync(join(dirname(link.path), link.target)); // our copies lack what serves only development
    if (!isNeeded || isInPlace(link)) continue;
    try {
      symlinkSync(link.target, link.path);
    } catch (thrown) {
      if (isInPlace(link)) continue; // another process was faster
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      replaceLink(link, random);
    }
  }
}

function readLinks(nativeDir: string): Link[] {
  const listFile = join(nativeDir, 'pg-symlinks.json');
  if (!existsSync(listFile)) return [];
  const listed = JSON.parse(readFileSync(listFile, 'utf8')) as { source: string; target: string }[];
  return listed.map(({ source, target }) => {
    // In the list `target` is where the link goes and `source` what it points to, both from the parent of `native`.
    const path = inside(nativeDir, target);
    return { path, target: relative(dirname(path), inside(nativeDir, source)) };
  });
}

function inside(nativeDir: string, listed: string): string {
  const path = resolve(nativeDir, relative('native', listed));
  if (!path.startsWith(resolve(nativeDir) + sep)) throw new Error(`pg-symlinks.json names ${listed}, which is outside of the package`);
  return path;
}

function isInPlace(link: Link): boolean {
  const stats = lstatSync(link.path, { throwIfNoEntry: false });
  if (!stats) return false;
  // A package manager that copies instead of linking leaves a whole file there, which serves as well.
  return stats.isSymbolicLink() ? readlinkSync(link.path) === link.target : stats.isFile();
}

function replaceLink(link: Link, random: Random): void {
  const fresh = join(dirname(link.path), `.${basename(link.path)}.${random.bytes(4).toString('hex')}`);
  symlinkSync(link.target, fresh);
  try {
    renameSync(fresh, link.path); // in one step: a process that starts meanwhile finds the old link or the new one
  } catch (thrown) {
    rmSync(fresh, { force: true });
    throw thrown;
  }
}

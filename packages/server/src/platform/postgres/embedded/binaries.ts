import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import type { BinariesPackage } from './binaries-package.ts';
import { copyBinaries, isWholeCopy } from './binaries-copy.ts';
import { folderFault } from './folder-fault.ts';
import { makeLibraryLinks } from './library-links.ts';
import type { ProcessUser } from './process-user.ts';
import { findObstacle, mayRead, mayReadAndExecute } from './reachability.ts';

/** Programs that work: libraries linked, every file open to the user that runs them. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** The folder with `bin`, `lib` and `share`. */
  readonly root: string;
}

/**
 * The binaries where npm put them, if they can be linked and reached there; else a copy in the first folder of `copyFolders`
 * that can be written.
 */
export function prepareBinaries(
  source: BinariesPackage,
  user: ProcessUser | undefined,
  copyFolders: readonly string[],
  random: Random,
): Binaries {
  if (worksInPlace(source.nativeDir, user, random)) return programsOf(source.nativeDir);
  const name = `${source.packageVersion}-${source.platform}`;
  let fault: unknown;
  for (const folder of copyFolders) {
    const copy = join(folder, name);
    try {
      if (!isWholeCopy(source.nativeDir, copy)) copyBinaries(source.nativeDir, copy, random);
      const obstacle = user && findFirstObstacle(copy, user);
      if (obstacle === undefined) return programsOf(copy);
      fault ??= new HoldfastError('data_folder_unusable', {
        detail: `${user!.name}, as whom PostgreSQL runs, may not use its binaries: ${obstacle}`,
      });
    } catch (thrown) {
      fault ??= thrown;
    }
  }
  throw folderFault(fault, copyFolders[0] ?? source.nativeDir);
}

function worksInPlace(nativeDir: string, user: ProcessUser | undefined, random: Random): boolean {
  try {
    makeLibraryLinks(nativeDir, random);
    if (user) return findFirstObstacle(nativeDir, user) === undefined;
    for (const { path, bits } of neededFiles(nativeDir))
      accessSync(path, bits === mayRead ? constants.R_OK : constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findFirstObstacle(root: string, user: ProcessUser): string | undefined {
  for (const { path, bits } of neededFiles(root)) {
    const obstacle = findObstacle(path, user, bits);
    if (obstacle) return obstacle;
  }
  return undefined;
}

/** Programs, libraries and, for the hundreds of small files, one of each folder: npm gives all of a package the same mode. */
function neededFiles(root: string): { path: string; bits: number }[] {
  const libraries = readdirSync(join(root, 'lib')).filter((name) => /\.(so(\.|$)|dylib$)/.test(name));
  return [
    ...['initdb', 'postgres'].map((name) => ({ path: join(root, 'bin', name), bits: mayReadAndExecute })),
    ...libraries.map((name) => ({ path: join(root, 'lib', name), bits: mayRead })),
    { path: join(root, 'lib/postgresql'), bits: mayReadAndExecute },
    { path: join(root, 'share/postgresql/postgres.bki'), bits: mayRead },
    { path: join(root, 'share/postgresql/timezonesets/Default'), bits: mayRead },
  ];
}

function programsOf(root: string): Binaries {
  const real = realpathSync(root); // as PostgreSQL writes it into `postmaster.opts`
  return { root: real, postgres: join(real, 'bin/postgres'), initdb: join(real, 'bin/initdb') };
}

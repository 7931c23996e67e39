import { accessSync, chmodSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { onFolder } from './folder-fault.ts';

/**
 * Makes Holdfast's data folder when it is missing and gives its real path. A folder that root makes lets others pass through,
 * so that PostgreSQL's user reaches what is its own in there; every file of ours in it has a mode of its own.
 */
export function openDataFolder(dataDir: string, asRoot: boolean): string {
  const path = resolve(dataDir);
  return onFolder(path, () => {
    if (makeFolder(path)) chmodSync(path, asRoot ? 0o711 : 0o700);
    accessSync(path, constants.W_OK | constants.X_OK);
    return realpathSync(path);
  });
}

/**
 * Makes what is missing of a path, one folder at a time; returns whether the last was. (`recursive` never returns below a
 * folder that can hold none, such as `/proc`.)
 */
function makeFolder(path: string): boolean {
  if (existsSync(path)) return false;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  mkdirSync(path);
  return true;
}

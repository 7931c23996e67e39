import { accessSync, chmodSync, constants, mkdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { onFolder } from './folder-fault.ts';

/**
 * Makes Holdfast's data folder when it is missing and gives its real path. A folder that root makes lets others pass through,
 * so that PostgreSQL's user reaches what is its own in there; every file of ours in it has a mode of its own.
 */
export function openDataFolder(dataDir: string, asRoot: boolean): string {
  const path = resolve(dataDir);
  return onFolder(path, () => {
    if (mkdirSync(path, { recursive: true })) chmodSync(path, asRoot ? 0o711 : 0o700);
    accessSync(path, constants.W_OK | constants.X_OK);
    return realpathSync(path);
  });
}

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAside } from '../build/build-packages.ts';

/** What the checks judge. */
export interface Workbench {
  /** The repository. */
  readonly root: string;
  /** A copy of the workspace with its packages built, made when it is first asked for. Throws when it does not build. */
  built(): string;
  clear(): void;
}

export function createWorkbench(root: string): Workbench {
  let folder: string | undefined;
  let broken = false;
  return {
    root,
    built() {
      if (broken) throw new Error('not judged, because the packages do not build');
      if (folder === undefined) {
        const made = mkdtempSync(join(tmpdir(), 'holdfast-build-'));
        chmodSync(made, 0o755);
        try {
          buildAside(root, made);
        } catch (error) {
          broken = true;
          rmSync(made, { recursive: true, force: true });
          throw error;
        }
        folder = made;
      }
      return folder;
    },
    clear() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

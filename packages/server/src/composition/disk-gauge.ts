import { statfs } from 'node:fs/promises';

export interface DiskSpace {
  readonly size: number;
  /** For others than the superuser. */
  readonly free: number;
}

/**
 * Size and free space of the disk that holds a folder, in bytes. Each `read` returns what was last known and asks anew: a network disk that hangs
 * must not have a scrape wait for it. Undefined until the first answer, and when there is no such folder.
 */
export function createDiskGauge(folder: string): { read(): DiskSpace | undefined } {
  let known: DiskSpace | undefined;
  let asking = false;
  const ask = (): void => {
    if (asking) return;
    asking = true;
    statfs(folder)
      .then(
        ({ bsize, blocks, bavail }) => (known = { size: bsize * blocks, free: bsize * bavail }),
        () => (known = undefined),
      )
      .finally(() => (asking = false));
  };
  ask();
  return {
    read() {
      ask();
      return known;
    },
  };
}

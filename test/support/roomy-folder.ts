import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const enoughBytes = 1024 ** 3;

/**
 * Where databases of tests go: memory, where there is enough of it. A cluster that is made, a checkpoint and every commit wait
 * for the disk, and here nothing has to outlast the machine: what a process wrote outlives the process there too.
 */
export function roomyFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize >= enoughBytes ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Where a server or a cluster of a test goes: in the folder of the run, which is removed with all that is left in it. */
export function databaseFolder(): string {
  const run = process.env['TEST_RUN_FOLDER'];
  // A temporary folder may have so long a path already that no socket fits below a folder more.
  return run?.startsWith('/dev/shm/') ? run : roomyFolder();
}

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

import { statfs } from 'node:fs/promises';
import type { CheckResult } from '@holdfast/kit/health';

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface DiskCheckOptions {
  /** On whose disks there has to be room. */
  readonly folders: readonly string[];
  readonly minFreeBytes: number;
  /** Default: asks the operating system. */
  readonly spaceOf?: (folder: string) => Promise<DiskSpace>;
}

/** What is free for a user without privileges: the blocks that are kept for root are of no use to a server. */
export async function spaceOfFolder(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Looks at the fullest of the disks. A folder that cannot be looked at fails the check. */
export function createDiskCheck({ folders, minFreeBytes, spaceOf = spaceOfFolder }: DiskCheckOptions): () => Promise<CheckResult> {
  return async () => {
    const spaces = await Promise.all(folders.map(async (folder) => ({ folder, ...(await spaceOf(folder)) })));
    const least = spaces.reduce((one, other) => (other.freeBytes < one.freeBytes ? other : one));
    const measurement = { name: 'free', value: least.freeBytes, unit: 'bytes' };
    if (least.freeBytes >= minFreeBytes) return { message: 'has room', detail: `${inMebibytes(least.freeBytes)} free`, measurement };
    return {
      status: 'degraded',
      message: 'is nearly full',
      detail: `${least.folder}: ${inMebibytes(least.freeBytes)} free of ${inMebibytes(least.totalBytes)}`,
      measurement,
    };
  };
}

function inMebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}

import { systemClock, systemRandom } from '@holdfast/kit/time';
import type { Configuration } from '../../config/index.ts';
import { openAudit, type Audit } from '../audit.ts';
import { Closers } from '../closers.ts';
import { openCommandStorage, type Storage } from '../storage.ts';

/** The storage for one command, closed after it whatever happened. */
export async function withStorage<Result>(
  configuration: Configuration,
  runtimeDir: string | undefined,
  work: (
    storage: Storage & { readonly closers: Closers; readonly audit: Audit['trail']; readonly references: Audit['references'] },
  ) => Promise<Result>,
): Promise<Result> {
  const closers = new Closers();
  try {
    const storage = await openCommandStorage({ configuration, clock: systemClock, random: systemRandom, closers, runtimeDir });
    const { trail, references } = openAudit({ ...storage, clock: systemClock, random: systemRandom });
    return await work({ ...storage, closers, audit: trail, references });
  } finally {
    await closers.closeAll(() => {});
  }
}

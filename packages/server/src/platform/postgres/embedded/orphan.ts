import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { endSessions } from './end-sessions.ts';
import { isReady } from './launch.ts';
import { disownPostmasterFile, readPostmasterFile, wasStartedWith } from './postmaster-file.ts';
import { adoptedPostmaster, type Postmaster } from './postmaster.ts';
import { isPostmasterOf, isTaken } from './process-identity.ts';
import { stopPostmaster } from './stop-postmaster.ts';
import { waitUntil } from './wait-until.ts';

export interface OrphanQuery {
  readonly data: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly socketDir: string;
  readonly port: number;
  readonly clock: Clock;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
}

/**
 * Deals with what an earlier server of the folder left when it was killed; the caller holds the folder's lock, so nobody uses it.
 * A PostgreSQL that runs just as we would start it is taken over, which costs no recovery and no checkpoint; its sessions are
 * ended first, so that no statement of the dead server is carried out after this one has begun to settle what it left.
 * Any other one is stopped. Gives the one taken over; undefined means that one has to be started.
 */
export async function settleOrphan(query: OrphanQuery): Promise<Postmaster | undefined> {
  const { data, clock } = query;
  const file = readPostmasterFile(data);
  if (!file) return undefined;
  if (!isPostmasterOf(file.pid, data)) {
    if (isTaken(file.pid)) disownPostmasterFile(data);
    return undefined;
  }
  const postmaster = adoptedPostmaster(file.pid, data, clock);
  const fits = file.socketDir === query.socketDir && wasStartedWith(data, query.program, query.args);
  if (fits && file.status !== 'stopping' && (await isUsable(postmaster, query))) return postmaster;
  try {
    await stopPostmaster(postmaster, clock, query.stopTimeoutMs);
  } catch (thrown) {
    throw new HoldfastError('postgres_start_failed', {
      detail: `an earlier PostgreSQL (pid ${file.pid}) still runs on ${data} and cannot be stopped`,
      cause: thrown,
    });
  }
  return undefined;
}

async function isUsable(postmaster: Postmaster, { data, clock, socketDir, port, startTimeoutMs }: OrphanQuery): Promise<boolean> {
  const settled = await waitUntil(() => !postmaster.isRunning() || isReady(data, postmaster.pid), clock, startTimeoutMs);
  return settled && postmaster.isRunning() && (await endSessions(socketDir, port, clock));
}

import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import type { Postmaster } from './postmaster.ts';
import { waitUntil } from './wait-until.ts';

const hardStopMs = 5_000;

/**
 * Ends PostgreSQL: first `fast` (SIGINT: open transactions are rolled back, a checkpoint is written), after `timeoutMs`
 * `immediate` (SIGQUIT: the next start recovers from the log, nothing committed is lost), last SIGKILL.
 * Holds at return: the process has ended.
 */
export async function stopPostmaster(postmaster: Postmaster, clock: Clock, timeoutMs: number): Promise<void> {
  const steps = [
    ['SIGINT', timeoutMs],
    ['SIGQUIT', hardStopMs],
    ['SIGKILL', hardStopMs],
  ] as const;
  for (const [signal, waitMs] of steps) {
    postmaster.signal(signal);
    if (await waitUntil(() => !postmaster.isRunning(), clock, waitMs)) return;
  }
  throw new HoldfastError('postgres_start_failed', { detail: `PostgreSQL (pid ${postmaster.pid}) does not end, even by SIGKILL` });
}

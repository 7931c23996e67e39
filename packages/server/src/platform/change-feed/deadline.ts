import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';

/**
 * The work, or `database_unavailable` when it takes longer. For reads of the database alone: one that hangs is left behind and
 * ends by the pool's own limits, so nothing is undone here.
 */
export function withinDeadline<T>(clock: Clock, timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      reject(new HoldfastError('database_unavailable', { detail: `${what} took longer than ${timeoutMs} ms` }));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}

import { HoldfastError } from '../../errors/index.ts';
import type { Clock } from '../../time/index.ts';
import { alertRuleUnread } from '../events.ts';
import type { AlertRule, AlertSample } from '../rules/index.ts';

/** What is measured now, over the last `windowMs`. One sample for each set of labels; none where there is nothing to say. */
export type AlertReader = (metric: string, windowMs: number) => readonly AlertSample[] | Promise<readonly AlertSample[]>;

/** The values of all rules. A rule that cannot be read in time is left out, and announced. */
export async function readSamples(
  rules: readonly AlertRule[],
  read: AlertReader,
  clock: Clock,
  timeoutMs: number,
): Promise<ReadonlyMap<string, readonly AlertSample[]>> {
  const samples = new Map<string, readonly AlertSample[]>();
  // Rules that ask for the same are given the same.
  const reads = new Map<string, Promise<readonly AlertSample[]>>();
  await Promise.all(
    rules.map(async ({ name, metric, windowMs }) => {
      const key = `${windowMs} ${metric}`;
      try {
        let values = reads.get(key);
        if (!values) reads.set(key, (values = withinTime(clock, timeoutMs, metric, async () => read(metric, windowMs))));
        samples.set(name, await values);
      } catch (error) {
        alertRuleUnread.publish({ rule: name, error });
      }
    }),
  );
  return samples;
}

function withinTime<T>(clock: Clock, timeoutMs: number, metric: string, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(
      () => reject(new HoldfastError('operation_timeout', { detail: `reading ${metric} took longer than ${timeoutMs} ms` })),
      timeoutMs,
    );
    work()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

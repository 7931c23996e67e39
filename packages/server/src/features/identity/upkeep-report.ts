import type { Clock } from '@holdfast/kit/time';
import { upkeepFailed, type UpkeepFailed } from './events.ts';

/** While the database is away every key and every poll fails again and again: each task is announced once in this time. */
const quietMs = 30_000;

export type ReportUpkeepFailure = (task: UpkeepFailed['task'], error: unknown) => void;

export function createUpkeepReport(clock: Clock): ReportUpkeepFailure {
  const quietUntilMs = new Map<UpkeepFailed['task'], number>();
  return (task, error) => {
    const nowMs = clock.monotonic();
    if (nowMs < (quietUntilMs.get(task) ?? -Infinity)) return;
    quietUntilMs.set(task, nowMs + quietMs);
    upkeepFailed.publish({ task, error });
  };
}

import process from 'node:process';
import type { WindowRecord } from '@holdfast/kit/telemetry';
import type { Clock } from '@holdfast/kit/time';
import type { MinuteStore } from '../features/performance/index.ts';
import type { AlertWindows } from './alert-windows.ts';
import { instance } from './configuration.ts';

export interface TakeUpOptions {
  readonly windows: Pick<AlertWindows, 'takeUp'>;
  readonly store: Pick<MinuteStore, 'readLatest'>;
  readonly clock: Clock;
  /** Whether no other instance can use the database: then all that is in it is of processes before this one. */
  readonly alone: boolean;
  readonly isRunning?: (pid: number) => boolean;
}

/** The longest window of a rule, and the most that is read: some runs of one server. */
const mostMs = 3_600_000;
const mostMinutes = 120;

/**
 * Fills the windows of alerts with the minutes that processes before this one stored: an alert about the last five minutes must not end with a restart. Of this
 * instance only: what others see they tell themselves. Without them the windows are empty, as ever: never rejects.
 */
export async function takeUpWindows({ windows, store, clock, alone, isRunning = isProcess }: TakeUpOptions): Promise<void> {
  try {
    for (const { minute, instance: of, record } of await store.readLatest(clock.now() - mostMs, mostMinutes)) {
      if (alone || isPredecessor(of, isRunning)) windows.takeUp(minute, record as WindowRecord);
    }
  } catch {
    // The database is away, which has an alert of its own, or a later version wrote them.
  }
}

/** By the name of the machine, and by that its process is there no more. In a container the process is always 1: then it is this one's predecessor. */
function isPredecessor(name: string, isRunning: (pid: number) => boolean): boolean {
  const at = name.lastIndexOf(':');
  const pid = Number(name.slice(at + 1));
  return name.slice(0, at) === instance.host && Number.isInteger(pid) && pid > 0 && (pid === instance.pid || !isRunning(pid));
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user, and there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

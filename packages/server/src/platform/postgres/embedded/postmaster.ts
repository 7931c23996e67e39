import type { ChildProcess } from 'node:child_process';
import type { Clock } from '@holdfast/kit/time';
import { sleep } from '@holdfast/kit/time';
import { birthOf, isAlive, isPostmasterOf } from './process-identity.ts';

export interface PostmasterExit {
  /** Null when a signal ended it, or when it was not our child and nobody knows. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server process of PostgreSQL, our child or one that outlived the process that started it. */
export interface Postmaster {
  readonly pid: number;
  readonly adopted: boolean;
  /** Resolves when the process has ended; never rejects. */
  readonly exit: Promise<PostmasterExit>;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
}

export function ownPostmaster(child: ChildProcess): Postmaster {
  const exit = new Promise<PostmasterExit>((resolve) => child.once('exit', (exitCode, signal) => resolve({ exitCode, signal })));
  return {
    pid: child.pid!,
    adopted: false,
    exit,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    signal: (signal) => void child.kill(signal),
  };
}

const watchIntervalMs = 250;

/** Somebody else's child: nobody tells when it ends, so it is looked at four times a second. */
export function adoptedPostmaster(pid: number, data: string, clock: Clock): Postmaster {
  const birth = birthOf(pid);
  let running = isPostmasterOf(pid, data);
  const isRunning = () => (running &&= isAlive(pid) && birthOf(pid) === birth);
  const watch = async (): Promise<PostmasterExit> => {
    while (isRunning()) await sleep(clock, watchIntervalMs);
    return { exitCode: null, signal: null };
  };
  return {
    pid,
    adopted: true,
    exit: watch(),
    isRunning,
    signal(signal) {
      if (isRunning()) process.kill(pid, signal);
    },
  };
}

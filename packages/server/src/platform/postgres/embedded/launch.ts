import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, rmSync } from 'node:fs';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { onFolder } from './folder-fault.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { ownPostmaster, type Postmaster } from './postmaster.ts';
import type { ProcessUser } from './process-user.ts';
import { openServerLog, readLogTail, serverLogSize } from './server-log.ts';
import { serverEnvironment } from './settings.ts';
import { socketPath } from './socket-folder.ts';
import { spawnFault, startFault } from './start-fault.ts';
import { stopPostmaster } from './stop-postmaster.ts';
import { waitUntil } from './wait-until.ts';

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly data: string;
  readonly socketDir: string;
  readonly logPath: string;
  readonly user: ProcessUser | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Backends whose server was killed end by themselves within moments; until then PostgreSQL refuses the folder. */
const survivorsMs = 15_000;
const survivors = /pre-existing shared memory block/;

/** Starts the server and waits until it takes connections. Holds at a throw: no process is left. */
export async function launchPostmaster(launch: Launch): Promise<Postmaster> {
  const { clock } = launch;
  removeOldSocket(launch.socketDir);
  const end = clock.monotonic() + survivorsMs;
  for (;;) {
    const logStart = serverLogSize(launch.logPath);
    const postmaster = ownPostmaster(await spawnServer(launch));
    const ready = () => isReady(launch.data, postmaster.pid);
    const settled = await waitUntil(() => !postmaster.isRunning() || ready(), clock, launch.timeoutMs);
    if (settled && postmaster.isRunning()) return postmaster;

    const lines = () => readLogTail(launch.logPath, logStart);
    if (!settled) {
      await stopPostmaster(postmaster, clock, 0);
      throw startFault(`PostgreSQL was not ready after ${launch.timeoutMs} ms`, lines());
    }
    if (survivors.test(lines().join('\n')) && clock.monotonic() < end) {
      await waitUntil(() => false, clock, 100);
      continue;
    }
    const { exitCode, signal } = await postmaster.exit;
    throw startFault(`PostgreSQL ended with ${signal ?? `code ${exitCode}`} while it started`, lines());
  }
}

/**
 * The socket of a server that was killed, and its lock file, which PostgreSQL believes as long as any process of its user has the pid
 * that stands in it. Whether a server still uses the data is not asked here: for that `postmaster.pid` stays.
 */
function removeOldSocket(socketDir: string): void {
  const path = socketPath(socketDir);
  onFolder(path, () => {
    for (const old of [`${path}.lock`, path]) rmSync(old, { force: true });
  });
}

export function isReady(data: string, pid: number): boolean {
  const file = readPostmasterFile(data);
  return file?.pid === pid && file.status === 'ready';
}

/**
 * In a session of its own, so that Ctrl-C on the terminal reaches only our process, which lets calls finish before it stops
 * its database; and with nothing of ours open but the log, so that it lives on whole when our process is killed.
 */
async function spawnServer({ program, args, data, logPath, user }: Launch): Promise<ChildProcess> {
  const log = openServerLog(logPath, user);
  try {
    const child = spawn(program, args, {
      cwd: data,
      env: { ...serverEnvironment },
      stdio: ['ignore', log, log],
      detached: true,
      ...(user && { uid: user.uid, gid: user.gid }),
    });
    await once(child, 'spawn'); // rejects with what `error` brings
    child.unref();
    return child;
  } catch (thrown) {
    throw thrown instanceof HoldfastError ? thrown : spawnFault('postgres', thrown, user?.name);
  } finally {
    closeSync(log);
  }
}

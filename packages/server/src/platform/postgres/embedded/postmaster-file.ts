import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** `postmaster.pid`, which PostgreSQL keeps in its folder while it runs, and leaves behind when it is killed. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | '';
}

/** Undefined when there is none, or when it is only half written. Format: `src/include/utils/pidfile.h` of PostgreSQL. */
export function readPostmasterFile(data: string): PostmasterFile | undefined {
  const lines = readOr(join(data, 'postmaster.pid'))?.split('\n');
  const pid = Number(lines?.[0]);
  if (!lines || !Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]), socketDir: lines[4] ?? '', status: (lines[7]?.trim() ?? '') as PostmasterFile['status'] };
}

/** Whether the server of `data` was started with exactly this program and these arguments. */
export function wasStartedWith(data: string, program: string, args: readonly string[]): boolean {
  const expected = [program, ...args.map((argument) => `"${argument}"`)].join(' ');
  return readOr(join(data, 'postmaster.opts'))?.trimEnd() === expected;
}

/**
 * Makes PostgreSQL see that the server of the file is gone although another process has its pid now (in a container pids
 * begin anew): our own pid is put in place, which it never takes for a rival, being its parent. The file itself has to stay:
 * by the rest of it PostgreSQL finds backends that outlived their server, with which it must not share the folder.
 */
export function disownPostmasterFile(data: string): void {
  const path = join(data, 'postmaster.pid');
  const rest = readFileSync(path, 'utf8').replace(/^[^\n]*/, '');
  const file = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW);
  try {
    writeSync(file, `${process.pid}${rest}`);
  } finally {
    closeSync(file);
  }
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** Whether there is such a process that has not ended. A zombie has, whoever forgot to collect it. */
export function isAlive(pid: number): boolean {
  return isTaken(pid) && (process.platform !== 'linux' || stateOf(pid) !== 'Z');
}

/**
 * Whether the kernel still knows a process `pid`, also one that has ended and was not collected yet: all that PostgreSQL looks
 * at before it believes in a rival. A container's first process may take long to collect the orphans that it is left.
 */
export function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Whether process `pid` is the server of the folder `data`, and not another one that got its pid. By its command line, because
 * what else would tell (`exe`, `cwd`) may not be read of another user's process by a container's root. Where it may be read,
 * the working folder also tells of a data folder that was moved while its server ran.
 */
export function isPostmasterOf(pid: number, data: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return commandLineByPs(pid).includes(` -D ${data} `);
  const [program = '', option, folder] = readProc(`/proc/${pid}/cmdline`).split('\0');
  return basename(program) === 'postgres' && option === '-D' && (folder === data || isSameFolder(`/proc/${pid}/cwd`, data));
}

function isSameFolder(one: string, other: string): boolean {
  try {
    const [first, second] = [statSync(one), statSync(other)];
    return first.dev === second.dev && first.ino === second.ino;
  } catch {
    return false;
  }
}

/**
 * Tells the process that has `pid` now from a later one with the same pid: same text, same process, also while it is ending and
 * has no command line any more. Always the same where there is no /proc.
 */
export function birthOf(pid: number): string {
  return statFields(pid)[19] ?? '';
}

function stateOf(pid: number): string {
  return statFields(pid)[0] ?? 'Z';
}

/** The fields of `/proc/<pid>/stat` from the third on; the second is the name of the program in brackets and may hold anything. */
function statFields(pid: number): string[] {
  const text = readProc(`/proc/${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it ended meanwhile
  }
}

function commandLineByPs(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

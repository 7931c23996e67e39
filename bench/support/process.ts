import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The first match of the pattern in what it prints. */
  readonly found: RegExpExecArray;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Where its output goes and is looked for; a pipe would have whoever reads it take part in the measurement. */
  readonly outputFile: string;
}

/** Starts a program on one core and waits until it prints something that matches. */
export async function startOn(
  core: number,
  command: string,
  args: readonly string[],
  pattern: RegExp,
  options: StartOptions,
): Promise<StartedProcess> {
  const output = openSync(options.outputFile, 'w');
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
  });
  closeSync(output);
  for (;;) {
    const text = readFileSync(options.outputFile, 'utf8');
    const found = pattern.exec(text);
    if (found) return { child, pid: child.pid!, found, stop: () => stopProcess(child) };
    if (child.exitCode !== null) throw new Error(`${command} ${args.join(' ')} ended with ${child.exitCode}:\n${text.slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const hard = setTimeout(() => child.kill('SIGKILL'), 20_000);
    child.once('exit', () => {
      clearTimeout(hard);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** CPU time of a process so far, in microseconds, all threads together. */
export function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000_000) / ticksPerSecond;
}

/** The same in nanoseconds, from the scheduler: ticks of 10 ms are too coarse for the difference of two short runs. A thread that ended takes its time with it. */
export function cpuNanos(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Resident memory now and at its highest, in MiB. */
export function memoryMiB(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 102.4) / 10;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Moves a process and all that it has started to one core. */
export function pinTree(pid: number, core: number): void {
  for (const each of [pid, ...descendants(pid)])
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(each)], { stdio: 'ignore' });
}

export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(
        readFileSync(`/proc/${entry}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[1],
      );
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = [];
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    waiting.push(...own);
  }
  return found;
}

export function runOn(core: number, command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}`))));
  });
}

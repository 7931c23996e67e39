import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '@holdfast/kit/time';
import { findRunningPostgres } from '../../src/platform/postgres/embedded/index.ts';
import { askedModels } from './messages.ts';

const program = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url));
const startLimitMs = 60_000;
export const operatorKey = 'crash-test-operator-0123456789-abcdefghijklmnop';

/** A server process that was started and may be at any point of its life. */
export interface ServerRun {
  readonly pid: number;
  /** Resolves with its URL; rejects with what it printed when it ends before, or takes too long. */
  readonly listening: Promise<string>;
  /** Exit code; null after a signal. */
  readonly exited: Promise<number | null>;
  readonly ended: boolean;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
}

/** The data folder of the rounds, and the servers that are started on it, one after the other. */
export class CrashServer {
  readonly #folder: string;
  readonly #dataDir: string;
  readonly #log: string;

  readonly #drainTimeoutMs: number;

  constructor(folder: string, upstreamUrl: string, drainTimeoutMs: number) {
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#folder = folder;
    this.#dataDir = join(folder, 'data');
    this.#log = join(folder, 'server.log');
    mkdirSync(this.#dataDir, { recursive: true });
    const limits = { connectMs: 5_000, firstTokenMs: 10_000, stallMs: 10_000, totalMs: 20_000 };
    const config = {
      providers: {
        primary: { kind: 'openai', baseUrl: `${upstreamUrl}/v1`, apiKey: 'sk-upstream' },
        claude: { kind: 'anthropic', baseUrl: `${upstreamUrl}/v1`, apiKey: 'sk-ant-upstream' },
      },
      models: {
        fast: { targets: [`primary/${askedModels.fast}`], limits },
        smart: { targets: [`claude/${askedModels.smart}`], limits },
      },
    };
    writeFileSync(join(folder, 'holdfast.config.yaml'), JSON.stringify(config));
  }

  start(): ServerRun {
    const child = spawn(process.execPath, [program, 'serve'], {
      cwd: this.#folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.#folder,
        HOLDFAST_PORT: '0',
        HOLDFAST_DATA_DIR: this.#dataDir,
        HOLDFAST_BOOTSTRAP_KEY: operatorKey,
        // How a stop cuts what runs is part of what is tested.
        HOLDFAST_DRAIN_TIMEOUT_MS: String(this.#drainTimeoutMs),
        LOG_JSON_FORMAT: 'true',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return runOf(child, this.#log);
  }

  /** Files of calls that wait on the disk for the database. */
  spilled(): string[] {
    const folder = join(this.#dataDir, 'spill');
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.spill') || name.endsWith('.corrupt')) : [];
  }

  /** Where the database takes connections; undefined while it does not. */
  socket(): { readonly socketDir: string; readonly port: number } | undefined {
    return findRunningPostgres({ dataDir: this.#dataDir, random: systemRandom });
  }

  /** The process that all others of PostgreSQL come from; undefined when there is none to be found. */
  postmasterPid(): number | undefined {
    const socket = this.socket();
    if (!socket) return undefined;
    try {
      const pid = Number(readFileSync(join(socket.socketDir, `.s.PGSQL.${socket.port}.lock`), 'utf8').split('\n', 1)[0]);
      return pid > 1 ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Every process of a PostgreSQL, its postmaster first. */
export function processesOf(postmaster: number): number[] {
  try {
    const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim();
    return [postmaster, ...(children === '' ? [] : children.split(' ').map(Number))];
  } catch {
    return [];
  }
}

function runOf(child: ChildProcess, log: string): ServerRun {
  let ended = false;
  let text = '';
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => {
      ended = true;
      resolve(code);
    }),
  );
  const listening = new Promise<string>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`the server was not ready in ${startLimitMs} ms:\n${text}`)), startLimitMs);
    let known = false;
    const look = (data: Buffer): void => {
      appendFileSync(log, data);
      if (known) return;
      text += data.toString();
      const found = /"url":"([^"]+)"[^\n]*"msg":"listening"/.exec(text);
      if (!found) return;
      known = true;
      clearTimeout(limit);
      resolve(found[1]!);
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      appendFileSync(log, `--- ended with ${code ?? signal}\n`);
      reject(new Error(`the server ended with ${code ?? signal} before it was ready:\n${text}`));
    });
  });
  // Whoever kills it while it starts does not wait for it.
  listening.catch(() => {});
  return {
    pid: child.pid!,
    listening,
    exited,
    get ended() {
      return ended;
    },
    kill: (signal) => void child.kill(signal),
  };
}

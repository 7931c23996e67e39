import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseFolder } from '../../../../test/support/roomy-folder.ts';
import { placeReadyCluster } from './ready-cluster.ts';

const program = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url));

export interface StartServerOptions {
  /** Added to an otherwise bare environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text of `holdfast.config.yaml`, or an object that is written as JSON, which is YAML too. */
  readonly config?: string | Readonly<Record<string, unknown>>;
  /**
   * Data folder of an earlier server, or a place for one whose first start makes everything. Otherwise a new one, removed at the end,
   * in which the database is there already, empty.
   */
  readonly dataDir?: string;
  /** The operator's key, when the data folder is one of an earlier server. */
  readonly key?: string;
  /** Given the process before it has said anything: for tests of its start. */
  readonly onSpawn?: (child: ChildProcess) => void;
}

export interface RunningServer {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** The operator's key. */
  readonly key: string;
  readonly dataDir: string;
  readonly folder: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** All that it printed so far. */
  readonly output: () => string;
  /** Resolves with the exit code, null after a signal. */
  readonly exited: Promise<number | null>;
  /** Runs `holdfast …` with the same configuration; resolves with what it printed and its exit code. */
  cli(...words: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly error: string }>;
  /** The same with more in its environment. */
  cliWith(
    env: Readonly<Record<string, string>>,
    ...words: readonly string[]
  ): Promise<{ readonly code: number | null; readonly out: string; readonly error: string }>;
  /** SIGTERM, then waits for the end, and removes what was made for it. */
  stop(): Promise<number | null>;
}

/** Starts the real server as a process of its own, on a free port, with a data folder of its own. */
export async function startServer(options: StartServerOptions = {}): Promise<RunningServer> {
  const folder = mkdtempSync(path.join(databaseFolder(), 'holdfast-test-'));
  // Passable for PostgreSQL's user when this is root, or the cluster would go to the system's folder and stay there.
  chmodSync(folder, 0o711);
  const dataDir = options.dataDir ?? path.join(folder, 'data');
  if (options.dataDir === undefined && options.env?.['DATABASE_URL'] === undefined) await placeReadyCluster(dataDir);
  if (options.config !== undefined) {
    writeFileSync(
      path.join(folder, 'holdfast.config.yaml'),
      typeof options.config === 'string' ? options.config : JSON.stringify(options.config),
    );
  }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    HOLDFAST_PORT: '0',
    HOLDFAST_DATA_DIR: dataDir,
    LOG_JSON_FORMAT: 'true',
    // Node writes there what was run, for the coverage of the whole (scripts/test/coverage.ts).
    ...(process.env['HOLDFAST_TEST_COVERAGE'] && { NODE_V8_COVERAGE: process.env['HOLDFAST_TEST_COVERAGE'] }),
    ...options.env,
  };
  const child = spawn(process.execPath, [program, 'serve'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  options.onSpawn?.(child);
  let text = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const look = (data: Buffer): void => {
      text += data.toString();
      const found = /"url":"([^"]+)"[^\n]*"msg":"listening"/.exec(text);
      if (found && (options.key !== undefined || options.env?.['HOLDFAST_BOOTSTRAP_KEY'] !== undefined || /hf_\w+/.test(text)))
        resolve(found[1]!);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    void exited.then((code) => reject(new Error(`the server ended with ${code}:\n${text}`)));
  }).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const key = options.key ?? options.env?.['HOLDFAST_BOOTSTRAP_KEY'] ?? /hf_\w+/.exec(text)![0];
  return {
    url,
    key,
    dataDir,
    folder,
    pid: child.pid!,
    process: child,
    output: () => text,
    exited,
    cli: (...words) => runCli(words, folder, env),
    cliWith: (more, ...words) => runCli(words, folder, { ...env, ...more }),
    async stop() {
      child.kill('SIGTERM');
      const code = await exited;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** Runs one command to its end. */
export function runCli(
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; out: string; error: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let error = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (error += data.toString()));
    child.once('close', (code) => resolve({ code, out, error }));
  });
}

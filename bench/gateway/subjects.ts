import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { descendants, pinTree, startOn, type StartedProcess } from '../support/process.ts';

export const gatewayCore = 0;
export const otherCore = 1;

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Outputs of what is started, and the data of Holdfast; removed with `removeRunFolder`. */
const runFolder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'));
// Passable for PostgreSQL's user when this is root.
chmodSync(runFolder, 0o711);

/** Keeps the program that conducts all this off the gateway's core. */
export function pinSelf(): void {
  pinTree(process.pid, otherCore);
}

export function removeRunFolder(): void {
  rmSync(runFolder, { recursive: true, force: true });
}

/** Something that answers chat completions. */
export interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: (paced: boolean) => string;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Subject> {
  const started = await startOn(otherCore, process.execPath, [here('upstream.ts')], /^(\d+)$/m, {
    outputFile: path.join(runFolder, 'upstream.log'),
  });
  return subject('upstream alone', started, Number(started.found[1]), {});
}

export async function startBareProxy(upstream: Subject): Promise<Subject> {
  const started = await startOn(
    gatewayCore,
    process.execPath,
    [here('../peers/bare-proxy.ts'), `http://127.0.0.1:${upstream.port}`],
    /^(\d+)$/m,
    { outputFile: path.join(runFolder, 'bare-proxy.log') },
  );
  return subject('bare proxy', started, Number(started.found[1]), {});
}

export async function startPortkey(upstream: Subject): Promise<Subject | undefined> {
  const program = here('../peers/node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(program)) return undefined;
  const port = 20_000 + (process.pid % 20_000);
  const started = await startOn(
    gatewayCore,
    process.execPath,
    [program, `--port=${port}`, '--headless'],
    /ready|running|Ready|localhost/i,
    {
      env: { NODE_ENV: 'production' },
      outputFile: path.join(runFolder, 'portkey.log'),
    },
  );
  return subject('Portkey gateway', started, port, {
    'x-portkey-provider': 'openai',
    authorization: 'Bearer sk-bench',
    'x-portkey-custom-host': `http://127.0.0.1:${upstream.port}/v1`,
  });
}

export interface HoldfastOptions {
  readonly nodeArguments?: readonly string[];
}

/** Holdfast as it comes: keys, policy, ledger with fsync, metrics and log on. PostgreSQL runs on the other core. */
export async function startHoldfast(
  upstream: Subject,
  options: HoldfastOptions = {},
): Promise<Subject & { readonly folder: string; readonly startedMs: number }> {
  const folder = runFolder;
  writeFileSync(
    path.join(folder, 'holdfast.config.yaml'),
    JSON.stringify({
      providers: { primary: { kind: 'openai', baseUrl: `http://127.0.0.1:${upstream.port}/v1`, apiKey: 'sk-bench' } },
      models: { fast: { targets: ['primary/gpt-4o-mini'] }, paced: { targets: ['primary/paced'] } },
    }),
  );
  const began = performance.now();
  const key = 'bench-operator-key-0123456789abcdef0123456789abcdef';
  const started = await startOn(
    gatewayCore,
    process.execPath,
    [...(options.nodeArguments ?? []), here('../../packages/server/bin/holdfast.js'), 'serve'],
    /"url":"http:\/\/127\.0\.0\.1:(\d+)"/,
    {
      cwd: folder,
      outputFile: path.join(folder, 'holdfast.log'),
      env: {
        HOLDFAST_PORT: '0',
        HOLDFAST_DATA_DIR: path.join(folder, 'data'),
        HOLDFAST_BOOTSTRAP_KEY: key,
        LOG_JSON_FORMAT: 'true',
      },
    },
  );
  const startedMs = performance.now() - began;
  for (const pid of descendants(started.pid)) pinTree(pid, otherCore);
  const made = subject('Holdfast', started, Number(started.found[1]), { authorization: `Bearer ${key}` });
  return {
    ...made,
    folder,
    startedMs,
    model: (paced) => (paced ? 'paced' : 'fast'),
  };
}

function subject(name: string, started: StartedProcess, port: number, headers: Readonly<Record<string, string>>): Subject {
  return {
    name,
    pid: started.pid,
    port,
    path: '/v1/chat/completions',
    headers,
    model: (paced) => (paced ? 'paced' : 'gpt-4o-mini'),
    stop: () => started.stop(),
  };
}
